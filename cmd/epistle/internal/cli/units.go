package cli

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// A quantity is a flag's value, a whole number that may have a unit.
type quantity[N int | int64] struct {
	n     *N
	units map[string]float64
	rule  string
}

// AddCount adds a flag for a number of things: 10000, 10k or 1.5M.
func AddCount[N int | int64](fs *pflag.FlagSet, n *N, name, shorthand string, byDefault N, usage string) {
	*n = byDefault
	fs.VarP(&quantity[N]{n, counts, countRule}, name, shorthand, usage)
}

// AddBytes adds a flag for a number of bytes: 65536, 64KiB or 1MB.
func AddBytes[N int | int64](fs *pflag.FlagSet, n *N, name, shorthand string, byDefault N, usage string) {
	*n = byDefault
	fs.VarP(&quantity[N]{n, sizes, sizeRule}, name, shorthand, usage)
}

func (q *quantity[N]) String() string {
	if q.n == nil {
		return "0"
	}
	return strconv.FormatInt(int64(*q.n), 10)
}

// Type returns what pflag calls the kind of value.
func (q *quantity[N]) Type() string { return "number" }

func (q *quantity[N]) Set(text string) error {
	n, err := parseQuantity(text, q.units, q.rule)
	if err != nil {
		return err
	}
	if int64(N(n)) != n {
		return errors.New("must be smaller")
	}
	*q.n = N(n)
	return nil
}

// The units, in lower case.
var (
	counts = map[string]float64{"k": 1e3, "m": 1e6, "g": 1e9}
	sizes  = map[string]float64{
		"b": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9,
		"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
	}
)

const (
	countRule = "must be a whole number, such as 10000, 10k or 1.5M"
	sizeRule  = "must be a number of bytes, such as 65536, 64KiB (of 1,024 bytes) or 1MB (of 1,000,000)"
)

// Bytes reads a number of bytes that may have a unit.
func Bytes(text string) (int64, error) { return parseQuantity(text, sizes, sizeRule) }

// parseQuantity reads a whole number that may have a unit, in any case. With a unit it may have a fraction.
func parseQuantity(text string, units map[string]float64, rule string) (int64, error) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	unit, known := units[strings.ToLower(text[len(digits):])]
	number := strings.TrimSuffix(digits, " ")
	if !known || strings.Trim(number, "-.0123456789") != "" {
		return 0, errors.New(rule)
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f*unit != math.Trunc(f*unit) {
		return 0, errors.New(rule)
	}
	if f *= unit; math.Abs(f) >= math.MaxInt64 {
		return 0, errors.New("must be smaller")
	}
	return int64(f), nil
}

// A rate is the value of a flag for so many things a second.
type rate struct{ n *float64 }

// AddRate adds a flag for so many things a second: 50000, 50k or 0.5.
func AddRate(fs *pflag.FlagSet, n *float64, name, usage string) { fs.Var(rate{n}, name, usage) }

func (r rate) String() string {
	if r.n == nil {
		return "0"
	}
	return strconv.FormatFloat(*r.n, 'g', -1, 64)
}

// Type returns what pflag calls the kind of value.
func (r rate) Type() string { return "number" }

func (r rate) Set(text string) error {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		*r.n = n
		return nil
	}
	n, err := parseQuantity(text, counts, "must be a number, such as 50000, 50k or 0.5")
	*r.n = float64(n)
	return err
}

// Milliseconds reads a time that Kafka counts in milliseconds: 5, 5ms or 1.5s.
func Milliseconds(text string) (int64, error) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, errors.New("must be a time, such as 5ms, 1.5s, or 5 for 5 ms")
	case d%time.Millisecond != 0:
		return 0, errors.New("must be whole milliseconds, since Kafka counts in them: such as 5ms, 1.5s, or 5 for 5 ms")
	}
	return d.Milliseconds(), nil
}
