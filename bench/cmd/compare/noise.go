package main

import (
	"fmt"
	"math"
	"strings"
)

// A noise is how far two figures of the same program can be apart, as a share: 0.1 is a tenth. No figure has more digits than
// it allows.
type noise float64

// guessed is the noise where it was not measured: the same program was not run again, or in too few rounds.
const guessed noise = 0.3

// noise is the noise of a metric in this scenario: the largest difference between Epistle and "Epistle, again" in a round.
func (o *outcome) noise(m metric) noise {
	most, of := 0.0, 0
	for a, b := range pairs(m, o.by[again], o.by[epistle]) {
		if apart := math.Abs(math.Log(a / b)); !math.IsNaN(apart) && !math.IsInf(apart, 0) {
			most, of = max(most, apart), of+1
		}
	}
	if of < enoughRounds {
		return guessed
	}
	return noise(math.Expm1(most))
}

// measured reports whether the scenario's noise was measured.
func (o *outcome) measured(m metric) bool {
	of := 0
	for range pairs(m, o.by[again], o.by[epistle]) {
		of++
	}
	return of >= enoughRounds
}

func (n noise) String() string { return fmt.Sprintf("%.0f %%", math.Max(100*float64(n), 1)) }

// digits writes a figure without the digits that the noise does not allow. Its last digit is that of the noise's first one. It
// has at least one digit and at most three.
func (n noise) digits(f float64) string {
	return digitsTo(f, n.last(f))
}

// last is the power of ten of a figure's last digit.
func (n noise) last(f float64) int {
	if f == 0 {
		return 0
	}
	first := power(f)
	return min(max(power(math.Abs(f)*float64(n)), first-2), first)
}

// digitsTo writes a figure down to that power of ten, with at least one digit.
func digitsTo(f float64, last int) string {
	if f == 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Sprintf("%.3g", f)
	}
	last = min(last, power(f))
	unit := math.Pow10(last)
	return fmt.Sprintf("%.*f", max(-last, 0), math.Round(f/unit)*unit)
}

// spread is a median and what the rounds lie between, all down to the same digit.
func (n noise) spread(s spread) string {
	return within(s, func(f float64) string { return digitsTo(f, n.last(s.median)) })
}

// numbers is spread with thousands or millions by a letter.
func (n noise) numbers(s spread) string {
	unit, letter := thousands(s.median)
	return within(s, func(f float64) string { return digitsTo(f/unit, n.last(s.median/unit)) + letter })
}

// within is a median and, in brackets, what it lies between if that can be told apart.
func within(s spread, format func(float64) string) string {
	if math.IsNaN(s.median) || math.IsInf(s.median, 0) {
		return "–"
	}
	least, median, most := format(s.least), format(s.median), format(s.most)
	if least == median && most == median {
		return median
	}
	return fmt.Sprintf("%s (%s…%s)", median, least, most)
}

// power is the power of ten of a figure's first digit, when the figure is rounded to one digit: 0.096 is a tenth.
func power(f float64) int {
	if f == 0 {
		return math.MinInt32 // no digit of it counts
	}
	p := int(math.Floor(math.Log10(math.Abs(f))))
	if math.Round(math.Abs(f)/math.Pow10(p)) >= 10 {
		p++
	}
	return p
}

// number is a figure with its thousands or millions by a letter.
func (n noise) number(f float64) string {
	unit, letter := thousands(f)
	return n.digits(f/unit) + letter
}

func thousands(f float64) (unit float64, letter string) {
	switch {
	case f >= 0.95e6: // or it might be rounded to 1000 k
		return 1e6, " M"
	case f >= 1e4:
		return 1e3, " k"
	}
	return 1, ""
}

// small is for figures that may be unknown, or far below one.
func (n noise) small(f float64) string {
	if f < 0 {
		return "–"
	}
	if f > 0 && f < 1e-3 {
		text := fmt.Sprintf("%.0e", f)
		return strings.Replace(text, "e-0", "e-", 1)
	}
	return n.digits(f)
}
