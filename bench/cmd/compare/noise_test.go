package main

import (
	"fmt"
	"testing"
)

// TestNoFigureHasMoreDigitsThanTheNoise guards the rule: the last digit of a figure is that of the noise's first.
func TestNoFigureHasMoreDigitsThanTheNoise(t *testing.T) {
	for _, test := range []struct {
		figure float64
		noise  noise
		want   string
	}{
		{4.6234, 0.01, "4.62"},  // ± 0.05
		{4.6234, 0.05, "4.6"},   // ± 0.2
		{4.6234, 0.02, "4.62"},  // ± 0.09
		{4.6234, 0.021, "4.6"},  // ± 0.097, which is a tenth
		{4.6234, 0.3, "5"},      // ± 1.4
		{4.6234, 5, "5"},        // one digit stays
		{4.6234, 0, "4.62"},     // no more than three
		{0.1284, 0.3, "0.13"},   // ± 0.04
		{0.1284, 2, "0.1"},      // ± 0.3
		{14.53, 0.18, "15"},     // ± 3
		{143.6, 0.18, "140"},    // ± 26
		{0.996, 0.1, "1.0"},     // ± 0.1
		{9.96, 0.3, "10"},       // ± 3
		{321, 0.0004, "321"},    // ± 0.1
		{16_384, 0.01, "16400"}, // ± 160, and three digits
		{0, 0.1, "0"},
	} {
		if got := test.noise.digits(test.figure); got != test.want {
			t.Errorf("%v with a noise of %v is %s, want %s", test.figure, test.noise, got, test.want)
		}
	}
	if got, want := noise(0.05).spread(spread{0.4904, 1, 1.3333}), "1.00 (0.49…1.33)"; got != want {
		t.Errorf("a spread is %s, want %s", got, want)
	}
	if got, want := noise(0.2).numbers(spread{0.4e6, 11.23e6, 13.3e6}), "11 M (0.4 M…13 M)"; got != want {
		t.Errorf("a spread is %s, want %s", got, want)
	}
	for figure, want := range map[float64]string{14.53e6: "15 M", 618_400: "600 k", 9_987: "10000", 343: "340"} {
		if got := noise(0.18).number(figure); got != want {
			t.Errorf("%v is %s, want %s", figure, got, want)
		}
	}
	for figure, want := range map[float64]string{-1: "–", 0: "0", 2.22e-5: "2e-5", 0.0031: "0.0031", 3.27: "3.3"} {
		if got := noise(0.1).small(figure); got != want {
			t.Errorf("%v is %s, want %s", figure, got, want)
		}
	}
}

// TestNoiseIsWhatTheSameProgramIsApart guards that the noise is the worst of the rounds, in whichever direction, and that
// nobody who has not measured it gets away with three digits.
func TestNoiseIsWhatTheSameProgramIsApart(t *testing.T) {
	o := &outcome{by: map[string]rounds{epistle: of(100, 100, 100, 0), again: of(90, 100, 105, 500)}}
	if got, want := fmt.Sprint(o.noise(perCPUSecond)), "11 %"; got != want {
		t.Errorf("the noise is %s, want %s", got, want)
	}
	o.by[again] = of(90, 100)
	if got := o.noise(perCPUSecond); got != guessed || o.measured(perCPUSecond) {
		t.Errorf("after two rounds the noise is %v, want the guess of %v", got, guessed)
	}
}

// TestLimitIsNoRateWhereItIsBusy guards that a program with one goroutine is not called the limit of a rate that one core
// gives.
func TestLimitIsNoRateWhereItIsBusy(t *testing.T) {
	r := of(10e6, 10e6, 10e6)
	o := &outcome{by: map[string]rounds{limit: r}}
	if o.limitWaits() {
		t.Error("with a core to itself the limit program is said to wait")
	}
	for _, s := range r {
		s.PerSecond = 5e6
	}
	if !o.limitWaits() {
		t.Error("with half a core the limit program is not said to wait")
	}
}

// TestSomePeersSitRoundsOut guards that who takes long has its rounds all the same, spread over all of them.
func TestSomePeersSitRoundsOut(t *testing.T) {
	p := &peer{most: 3}
	for rounds, want := range map[int]string{1: "[0]", 2: "[0 1]", 3: "[0 1 2]", 5: "[0 2 4]", 7: "[0 3 5]", 9: "[0 3 6]"} {
		var in []int
		for round := range rounds {
			if !p.sitsOut(round, rounds) {
				in = append(in, round)
			}
		}
		if got := fmt.Sprint(in); got != want {
			t.Errorf("of %d rounds it has %s, want %s", rounds, got, want)
		}
	}
}

// TestTheSameProgramIsNotAlwaysNextToItself guards that the noise is also that of the time between any two clients of a round,
// and that each takes part once.
func TestTheSameProgramIsNotAlwaysNextToItself(t *testing.T) {
	apart := 0
	for round := range 7 {
		turns := order(round, len(peers))
		at := map[string]int{}
		for turn, i := range turns {
			at[peers[i].name] = turn
		}
		if len(at) != len(peers) {
			t.Errorf("round %d has %d clients, want %d", round, len(at), len(peers))
		}
		if d := at[again] - at[epistle]; d < -2 || d > 2 {
			apart++
		}
	}
	if apart < 4 {
		t.Errorf("in %d of 7 rounds there are others between epistle and epistle again, want it in most", apart)
	}
}
