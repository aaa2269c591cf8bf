package cli

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// A number may have a unit, and one that has none is what it was.
func TestNumbersWithUnits(t *testing.T) {
	for _, test := range []struct {
		flag, text string
		want       int64
		wrong      string // what the error says
	}{
		{"count", "10000", 10000, ""}, {"count", "10k", 10_000, ""}, {"count", "10K", 10_000, ""}, {"count", "1.5M", 1_500_000, ""}, {"count", "2 g", 2_000_000_000, ""},
		{"count", "0", 0, ""}, {"count", "-5", -5, ""}, {"count", "9223372036854775807", 1<<63 - 1, ""}, {"count", "0.0005k", 0, "whole number"},
		{"count", "10KB", 0, "such as 10000, 10k or 1.5M"}, {"count", "", 0, "whole number"}, {"count", "k", 0, "whole number"}, {"count", "ten", 0, "whole number"},
		{"count", "1.5", 0, "whole number"}, {"count", "infM", 0, "whole number"}, {"count", "NaNk", 0, "whole number"}, {"count", "0x10k", 0, "whole number"},
		{"count", "10000000000G", 0, "must be smaller"}, {"count", "1..5k", 0, "whole number"}, {"count", "-2k", -2000, ""},
		{"bytes", "65536", 65536, ""}, {"bytes", "64KiB", 65536, ""}, {"bytes", "64kib", 65536, ""}, {"bytes", "64kB", 64_000, ""}, {"bytes", "64k", 64_000, ""},
		{"bytes", "1MB", 1_000_000, ""}, {"bytes", "1MiB", 1 << 20, ""}, {"bytes", "0.5KiB", 512, ""}, {"bytes", "100 B", 100, ""}, {"bytes", "1GiB", 1 << 30, ""},
		{"bytes", "1.0001k", 0, "number of bytes"}, {"bytes", "5 bytes", 0, "64KiB"}, {"bytes", "1T", 0, "number of bytes"},
		{"rate", "50000", 50_000, ""}, {"rate", "50k", 50_000, ""}, {"rate", "1e3", 1000, ""}, {"rate", "fast", 0, "must be a number, such as"},
	} {
		fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
		var count int64
		var bytes int
		var rate float64
		AddCount(fs, &count, "count", "n", 7, "")
		AddBytes(fs, &bytes, "bytes", "", 7, "")
		AddRate(fs, &rate, "rate", "")
		if count != 7 || bytes != 7 || fs.Lookup("count").DefValue != "7" {
			t.Errorf("the defaults are %d and %d", count, bytes)
		}
		err := fs.Set(test.flag, test.text)
		got := map[string]int64{"count": count, "bytes": int64(bytes), "rate": int64(rate)}[test.flag]
		switch {
		case test.wrong == "" && (err != nil || got != test.want):
			t.Errorf("--%s %q: got %d, %v, want %d", test.flag, test.text, got, err, test.want)
		case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)):
			t.Errorf("--%s %q: %v, want an error with %q", test.flag, test.text, err, test.wrong)
		}
	}
}

// A time that Kafka cannot say is refused for what it is.
func TestTimesInMilliseconds(t *testing.T) {
	for text, want := range map[string]int64{"5": 5, "5ms": 5, "1.5s": 1500, "0": 0, "1m": 60_000, "-3": -3} {
		if got, err := Milliseconds(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]string{"500ns": "whole milliseconds, since Kafka", "1.5ms": "whole milliseconds", "5d": "must be a time", "": "must be a time", "soon": "must be a time"} {
		if _, err := Milliseconds(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", text, err, want)
		}
	}
}
