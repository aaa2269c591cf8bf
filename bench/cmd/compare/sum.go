package main

import (
	"fmt"
	"math"
)

// A sum compares what a record costs with a codec with what the codec costs alone and what a record costs without it, from one
// round. Epistle's whole run should cost no more than the two together.
type sum struct{ Whole, Alone, Bare *sample }

// sumTimes is how many times as many rounds a sum has as other figures. It is made of three runs, so their errors add up, and
// it is near its bound: five rounds are off by two or three percent.
const sumTimes = 3

// sumUp does the rounds that only sums need, where there is a codec. They count for nothing else.
func (r *runner) sumUp(t target, o *outcome) error {
	s, done := o.scenario, o.sums()
	if r.real != "" || len(done) == 0 {
		return nil
	}
	for round := range (sumTimes - 1) * r.rounds {
		var got sum
		runs := []func() error{
			func() (err error) { got.Whole, err = r.turn(t, o, peerNamed(epistle)); return err },
			func() (err error) { got.Bare, err = r.turn(t, o, peerNamed(plain)); return err },
			func() (err error) { got.Alone, err = r.codecAlone(s, peerNamed(limit), done[0].Whole); return err },
		}
		for i := range runs {
			if err := runs[(i+round)%len(runs)](); err != nil {
				return err
			}
		}
		o.more = append(o.more, got)
	}
	return nil
}

// sums are those of all rounds in which no run failed.
func (o *outcome) sums() []sum {
	var all []sum
	ours, alone, bare := o.by[epistle], o.codecs[epistle], o.by[plain]
	for i := range min(len(ours), len(alone), len(bare)) {
		if ours[i] != nil && alone[i] != nil && bare[i] != nil {
			all = append(all, sum{ours[i], alone[i], bare[i]})
		}
	}
	return append(all, o.more...)
}

// codecSum gives the result of the sums, by round, as for all ratios.
func (o *outcome) codecSum() string {
	var whole, codec, rest, share []float64
	cost := func(s *sample) float64 { return 1e9 / s.PerCPUSecond }
	for _, s := range o.sums() {
		w, c, r := cost(s.Whole), cost(s.Alone), cost(s.Bare)
		whole, codec, rest, share = append(whole, w), append(codec, c), append(rest, r), append(share, w/(c+r))
	}
	if len(whole) == 0 {
		return ""
	}
	// A median of many rounds is more certain than one round, by the square root of their number.
	n := o.noise(perCPUSecond) / noise(math.Sqrt(float64(len(share))))
	return fmt.Sprintf("epistle: CPU of a record %s ns; its codec alone %s ns, and without codec %s ns; of the two together, by %d rounds: %s",
		n.digits(spreadOf(whole).median), n.digits(spreadOf(codec).median), n.digits(spreadOf(rest).median), len(whole),
		n.spread(spreadOf(share)))
}
