package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

// A report has each phase, the two kinds side by side, and which promises were broken.
func TestReport(t *testing.T) {
	s := &soak{rate: 1000, lifetime: 10 * time.Second}
	o, err := parse([]string{"-rate", "1000"}, io.Discard)
	do(t, err)
	r := &report{options: o, kafka: "4.4.0", kind: "jvm"}
	phase := func(name string, ending bool, again int64) *result {
		p := &result{name: name, ending: ending, took: time.Minute, sent: 62_000, cpu: 1500}
		p.figures = figures{rate: 1000, lowest: 995, seconds: 60, slow: 2, pause: 12 * time.Millisecond}
		p.latency.add(5 * time.Millisecond)
		p.stats.Acknowledged, p.stats.Reauthentications = 62_000, again
		return p
	}
	last := phase("B2: sessions end", true, 12)
	last.found.Missing = 1
	last.cpu = 1650
	r.phases(s, []*result{phase("A1: sessions last", false, 0), phase("B1: sessions end", true, 12), phase("A2: sessions last", false, 0), last})
	var text strings.Builder
	r.write(&text)
	for _, want := range []string{
		"# Re-authentication under load", "SCRAM-SHA-256, sessions of 10s where they end; 1,000 records/s of 16 bytes to 6 partitions",
		"| B1: sessions end | 60 | 62,000 | 1,000 | 995 | 2 | 0 | 0 | 0 | 0 | 0 | 12 | 0 | 5.00 ms | 5.00 ms | 5.00 ms | 5.00 ms | 12.0 ms | 1.5µs |",
		"| CPU a record | 1.5µs, 1.5µs | 1.5µs, 1.65µs | +5.0 % | 9.5 % |",
		"Broken promises:\n\n- B2: sessions end: records missing: 1\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, text.String())
		}
	}
	if len(r.broken) != 1 {
		t.Errorf("broken is %q", r.broken)
	}
}

func TestTexts(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) is %s", n, got)
		}
	}
	for d, want := range map[time.Duration]string{
		1500: "1.50 µs", 5 * time.Millisecond: "5.00 ms", 12_345 * time.Microsecond: "12.3 ms", 999_600 * time.Microsecond: "1000 ms",
		time.Minute: "60.0 s",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%d) is %s, want %s", d, got, want)
		}
	}
}

func TestFlags(t *testing.T) {
	o, err := parse([]string{"-rotate"}, io.Discard)
	if err != nil || o.rate != 20_000 {
		t.Errorf("with -rotate the rate is %d, %v", o.rate, err)
	}
	if o, err = parse(nil, io.Discard); err != nil || o.rate != 100_000 || o.phase() != 5*time.Minute || o.transactions != 5*time.Minute {
		t.Errorf("%+v, %v", o, err)
	}
	for _, wrong := range []string{"-rounds 0", "-size 12", "-lifetime 1s", "-duration 40s", "-mechanism GSSAPI", "-rotate -mechanism PLAIN", "-run (", "-rate -1", "now"} {
		if _, err := parse(strings.Fields(wrong), io.Discard); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}
