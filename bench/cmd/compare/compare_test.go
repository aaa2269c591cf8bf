package main

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/epistle-kafka/epistle/bench/internal/counted"
)

// of makes rounds of those figures; 0 is a round that failed.
func of(figures ...float64) rounds {
	var r rounds
	for _, f := range figures {
		if f == 0 {
			r = append(r, nil)
			continue
		}
		r = append(r, &sample{Result: driver.Result{Records: 1, Acknowledged: 1, PerCPUSecond: f, PerSecond: f, P50: int64(f), P99: int64(f)}, Bytes: 50, ValueSize: 100})
	}
	return r
}

func TestSpread(t *testing.T) {
	for _, test := range []struct {
		figures []float64
		want    spread
	}{
		{[]float64{3, 1, 2}, spread{1, 2, 3}},
		{[]float64{4, 1, 2, 3}, spread{1, 2.5, 4}},
		{[]float64{7}, spread{7, 7, 7}},
	} {
		if got := spreadOf(test.figures); got != test.want {
			t.Errorf("spread of %v is %v, want %v", test.figures, got, test.want)
		}
	}
	if got := spreadOf(nil); !math.IsNaN(got.median) {
		t.Errorf("the median of nothing is %v, want NaN", got.median)
	}
}

// TestRatiosAreOfTheSameRound guards what interleaving is for: a round in which the machine was half as fast leaves the ratio
// as it is, and one that either client failed in does not count.
func TestRatiosAreOfTheSameRound(t *testing.T) {
	got := ratios(perCPUSecond, of(100, 50, 0, 120), of(25, 12.5, 30, 0))
	if want := (spread{4, 4, 4}); got != want {
		t.Errorf("ratios are %v, want %v", got, want)
	}
}

func TestBeyond(t *testing.T) {
	for _, test := range []struct {
		m    metric
		a, b rounds
		want bool
	}{
		{perCPUSecond, of(5, 6, 7), of(3, 4), true},
		{perCPUSecond, of(5, 6, 7), of(3, 5), false}, // the spreads touch
		{perCPUSecond, of(3, 4), of(5, 6), false},
		{p99, of(3, 4), of(5, 6), true},
		{p99, of(5, 6), of(3, 4), false},
		{p99, of(3, 5), of(5, 6), false},
	} {
		if got := beyond(test.m, test.a, test.b); got != test.want {
			t.Errorf("by %v, %v beyond %v: %v, want %v", test.m, test.a.figures(test.m), test.b.figures(test.m), got, test.want)
		}
	}
}

// TestVerdicts guards that a machine that drifts does not hide who was better each time, and that nobody is called ahead by
// every round who lost one.
func TestVerdicts(t *testing.T) {
	for _, test := range []struct {
		m            metric
		ours, theirs rounds
		want         verdict
	}{
		{perCPUSecond, of(5, 6, 7), of(3, 4, 4.5), ahead},
		{perCPUSecond, of(5, 6, 9), of(4, 5.5, 8), aheadInEach}, // the spreads overlap
		{perCPUSecond, of(5, 6, 9), of(4, 7, 8), level},
		{perCPUSecond, of(5, 6, 9, 0), of(4, 5.5, 8, 9), aheadInEach}, // who failed is not behind
		{perCPUSecond, of(5, 6, 9), of(5, 5.5, 8), level},             // nor is ahead who was as good
		{perCPUSecond, of(5, 5, 8), of(5, 5.5, 9), level},
		{perCPUSecond, of(4, 5.5, 8), of(5, 6, 9), behindInEach},
		{perCPUSecond, of(3, 4, 4.5), of(5, 6, 7), behind},
		{p99, of(5, 6, 9), of(6, 8, 10), aheadInEach},
		{p99, of(5, 8, 9), of(6, 7, 10), level},
		{p99, of(5, 6, 9), of(4, 5, 8), behindInEach},
	} {
		if got := compared(test.m, test.ours, test.theirs); got != test.want {
			t.Errorf("by %v, %v is %q %v, want %q", test.m, test.ours.figures(test.m), got, test.theirs.figures(test.m), test.want)
		}
	}
	o := &outcome{scenario: &scenarios[0], by: map[string]rounds{epistle: of(5, 6, 9), franz: of(4, 7, 8), "sarama": of(1, 2, 3), "kafka-go": of(4, 5.5, 8), rdkafka: of(6, 7, 10)}}
	o.by[again] = of(5, 6, 9)
	const want = "epistle by records/CPU s: ahead of sarama; in every round ahead of kafka-go; " +
		"within the noise or the spread of the rounds of franz-go (better in 2 of 3); in every round behind librdkafka in C"
	if got := o.verdicts(peers); got != want {
		t.Errorf("it says\n%s\nwant\n%s", got, want)
	}
	o.by[again] = of(5, 7, 9) // a sixth apart from itself
	const noisy = "epistle by records/CPU s: ahead of sarama; within the noise or the spread of the rounds of franz-go (better in 2 of 3), " +
		"kafka-go (better in 3 of 3), librdkafka in C (better in 0 of 3)"
	if got := o.verdicts(peers); got != noisy {
		t.Errorf("with noise it says\n%s\nwant\n%s", got, noisy)
	}
}

// Rows that are there to compare Epistle with itself are in their scenarios alone, and are nobody's rivals.
func TestRowsBesideTheClients(t *testing.T) {
	in := map[string]string{}
	for i := range scenarios {
		for _, p := range peers {
			if s := &scenarios[i]; p.only != nil && p.knows(s) {
				in[p.name] += s.name + " "
			}
			if (p.only != nil || p.name == again) && (p.rival() || p.drawn()) {
				t.Errorf("%s is taken for a producer to compare with", p.title)
			}
		}
	}
	want := map[string]string{
		idle: "a ", shared: "a c d g h ", several: "a c d g h ", untuned: "a c d h ", future: "a c d g h ", bare: "a c d h ", roomy: "c ", eight: "d64 ",
		plain: "e-lz4-100 e-lz4-1024 e-zstd-100 e-zstd-1024 ",
	}
	if !maps.Equal(in, want) {
		t.Errorf("%v, want %v", in, want)
	}
}

func TestScenariosArePickedByLetterAndName(t *testing.T) {
	for names, want := range map[string]string{"e": "e-lz4-100 e-lz4-1024 e-zstd-100 e-zstd-1024", "d64,a": "d64 a", "d": "d d64"} {
		list, err := pick(names)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range list {
			got = append(got, s.name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s picks %v, want %s", names, got, want)
		}
	}
	if _, err := pick("k"); err == nil {
		t.Error("a scenario that does not exist is picked in silence")
	}
}

// TestScenariosKeepTheirTerms guards that no client's own setting replaces what a scenario is about.
func TestScenariosKeepTheirTerms(t *testing.T) {
	list, err := pick("b,f")
	if err != nil {
		t.Fatal(err)
	}
	if got := fitting(&list[0], strings.Fields("-linger 50ms -batch 100 -set call=3")); strings.Join(got, " ") != "-set call=3" {
		t.Errorf("in (b) %v is left, want -set call=3", got)
	}
	if got := fitting(&list[1], strings.Fields("-linger 50ms -batch 100")); strings.Join(got, " ") != "-batch 100" {
		t.Errorf("in (f) %v is left, want -batch 100", got)
	}
	best, err := recordedBest()
	if err != nil {
		t.Fatal(err)
	}
	for i := range scenarios {
		s := &scenarios[i]
		for _, p := range peers {
			args := best.of(p, s)
			for j := 0; j < len(args); j += 2 {
				if s.sets(args[j]) {
					t.Errorf("(%s): %s would run with %s %s of its own", s.name, p.name, args[j], args[j+1])
				}
			}
		}
	}
}

// TestValuesAreTheDrivers guards the peak RSS: the memory of the values is the driver's, and would hide what a client takes.
func TestValuesAreTheDrivers(t *testing.T) {
	for _, s := range scenarios {
		if s.ring < driver.RingBytes {
			t.Errorf("(%s): the driver has %d bytes of values, want %d at least", s.name, s.ring, driver.RingBytes)
		}
		got := sample{Result: driver.Result{PeakRSS: int64(s.ring) + 40<<20}}
		got.count(counted.Client{Batches: 3, Bytes: 5}, &s)
		if got.PeakRSS != 40<<20 || got.Batches != 3 || got.Bytes != 5 || got.ValueSize != s.size {
			t.Errorf("(%s): with 40 MiB besides the values it is %+v", s.name, got)
		}
	}
}

// TestTrialsTakeTurns guards a sweep against a machine that is slower after a while: it is so for each candidate, and what
// fails is tried no more.
func TestTrialsTakeTurns(t *testing.T) {
	tried := []trial{{args: []string{"slow"}}, {args: []string{"broken"}}, {args: []string{"fast"}}}
	var order []string
	inTurn(tried, 3, func(args []string) (*sample, error) {
		order = append(order, args[0])
		if args[0] == "broken" {
			return nil, errors.New("it is broken")
		}
		speed := map[string]float64{"slow": 100, "fast": 110}[args[0]]
		if len(order) > 3 {
			speed /= 2
		}
		return of(speed)[0], nil
	})
	if want := "slow broken fast fast slow fast slow"; strings.Join(order, " ") != want {
		t.Errorf("the order is %v, want %s", order, want)
	}
	for i, want := range []float64{50, 0, 55} {
		if got := spreadOf(tried[i].got.figures(perCPUSecond)).median; want > 0 && got != want {
			t.Errorf("%v has %v, want %v", tried[i].args, got, want)
		}
	}
	if tried[1].failed == nil || tried[0].failed != nil {
		t.Errorf("failed are %v and %v, want the broken one alone", tried[0].failed, tried[1].failed)
	}
}

// TestWithoutCodecIsAsInA guards the sum of codec and record: what the record alone costs is what it costs in (a), whatever
// settings were best with the codec.
func TestWithoutCodecIsAsInA(t *testing.T) {
	best := settings{epistle: {"a": "-set send.buffer.bytes=-1", "*": "-batch 65536"}}
	list, err := pick("e")
	if err != nil {
		t.Fatal(err)
	}
	picked, err := pickPeers(epistle + "," + plain)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"-batch 65536", "-set send.buffer.bytes=-1"} {
		if got := strings.Join(best.of(picked[i], &list[0]), " "); got != want {
			t.Errorf("%s runs with %s, want %s", picked[i].name, got, want)
		}
	}
}

// outcomes are three scenarios in which a peer has failed and another is left out.
func outcomes() []*outcome {
	var list []*outcome
	for _, i := range []int{0, 5, len(scenarios) - 1} {
		list = append(list, &outcome{
			scenario: &scenarios[i],
			by:       map[string]rounds{epistle: of(6e6, 7e6, 6.5e6), again: of(6e6, 7.1e6, 6.3e6), franz: of(2e6, 1e6, 1.5e6), limit: of(9e6, 9.5e6, 9e6), "sarama": of(0, 0, 0), plain: of(6e6, 8e6, 4e6)},
			commands: map[string]string{epistle: "/somewhere/driver-epistle -b x"},
			failures: map[string]error{"sarama": errors.New("<refused> & gone")},
			codecs:   map[string]rounds{epistle: of(8e6, 6e6, 0)},
		})
	}
	return list
}

// TestSumsHaveRoundsOfTheirOwn guards that a sum is of the rounds that all clients had, without those in which a run failed,
// and of more besides, which no other figure is of.
func TestSumsHaveRoundsOfTheirOwn(t *testing.T) {
	o := outcomes()[1]
	o.more = []sum{{of(1e6)[0], of(2e6)[0], of(2e6)[0]}, {of(1e6)[0], of(2e6)[0], of(4e6)[0]}, {of(1e6)[0], of(2e6)[0], of(2e6)[0]}}
	if got, want := o.codecSum(), "by 5 rounds: 1.00 (0.49…1.33)"; !strings.HasSuffix(got, want) {
		t.Errorf("it says %q, want %q at its end", got, want)
	}
	if got := len(o.by[epistle]); got != 3 {
		t.Errorf("epistle has %d rounds, want its 3", got)
	}
}

// TestReportNamesWhatIsMissing guards that a peer that could not be built, or whose runs failed, is named with the reason.
func TestReportNamesWhatIsMissing(t *testing.T) {
	missing := &peer{name: "java", title: "Java client", missing: errors.New("it needs a JDK")}
	picked, err := pickPeers("limit,epistle,epistle-again,franz-go,sarama")
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{builder: &builder{bin: "/somewhere"}, peers: append(slices.Clone(picked), missing), rounds: 3, date: "2001-02-03", machine: "an abacus"}
	report := r.markdown(outcomes(), "report.svg")
	for _, want := range []string{
		"on 2001-02-03, on an abacus.", "| Java client | left out: it needs a JDK |", "sarama failed in a round, which does not count: <refused> & gone",
		"| epistle | 6.5 M (6.0 M…7.0 M) |", "| epistle, again | 6.3 M (6.0 M…7.1 M) |", "epistle by records/CPU s: ahead of franz-go.", "codec of epistle, alone",
		"epistle: records/CPU s 4.3 × franz-go's; records/CPU s 0.72 × the limit's; records/s 4.3 × the best peer's, franz-go.\n",
		"The same program again, by records/CPU s: 1.00 × (0.97…1.01), so the noise is 3 %.",
		"of the two together, by 2 rounds: 0.53 (0.49…0.57).", "    /somewhere/driver-epistle -b x\n",
		"This report is of (a), (e-lz4-100), (j) alone; the other scenarios were not measured.",
		"No round was left out or done again.",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("the report does not say %q:\n%s", want, report)
		}
	}
	rows := outcomes()[1].rows(r.peers)
	for _, row := range rows {
		if len(row) != len(rows[0]) {
			t.Errorf("row %v has %d cells, want %d", row, len(row), len(rows[0]))
		}
	}
}
