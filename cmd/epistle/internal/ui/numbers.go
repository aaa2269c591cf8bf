package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Count writes n with a comma before every third digit.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Number is Count with the noun it counts, in the plural unless n is 1.
func Number(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "ch") {
		noun += "e"
	}
	return Count(n) + " " + noun + "s"
}

// PerSecond is a rate of whole things; a duration of zero gives "0".
func PerSecond(n int64, d time.Duration) string {
	if d <= 0 {
		return "0"
	}
	return Count(int64(float64(n) / d.Seconds()))
}

// Megabytes writes bytes in MB of 10^6 bytes, with enough digits to say something.
func Megabytes(bytes float64) string {
	mb := bytes / 1e6
	switch {
	case mb >= 100:
		return fmt.Sprintf("%.0f MB", mb)
	case mb >= 1 || mb == 0:
		return fmt.Sprintf("%.1f MB", mb)
	}
	return fmt.Sprintf("%.3f MB", mb)
}

// MegabytesPerSecond is a rate of bytes; a duration of zero gives 0.
func MegabytesPerSecond(bytes int64, d time.Duration) string {
	if d <= 0 {
		return Megabytes(0) + "/s"
	}
	return Megabytes(float64(bytes)/d.Seconds()) + "/s"
}

// Elapsed writes a duration in the precision that a reader wants.
func Elapsed(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}
