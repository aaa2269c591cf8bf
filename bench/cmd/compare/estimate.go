package main

import "time"

// What a run takes besides warm-up and measurement, and what a JVM takes until its rate is steady. Both were measured.
const (
	startAndStop = 400 * time.Millisecond
	untilSteady  = 12 * time.Second
)

// estimate is how long a comparison takes, or a sweep.
func (r *runner) estimate(list []scenario, sweep bool) time.Duration {
	var all time.Duration
	one := func(p *peer) time.Duration {
		took := r.warmup + r.duration + startAndStop
		if p.steady {
			took += min(r.steady, untilSteady)
		}
		return took
	}
	for i := range list {
		s := &list[i]
		if r.real != "" && !s.real {
			continue
		}
		for _, p := range r.peers {
			switch {
			case sweep:
				for _, stage := range candidates[p.name] {
					all += time.Duration(len(stage)*r.rounds) * one(p)
				}
			case p.knows(s):
				for round := range r.rounds {
					if !p.sitsOut(round, r.rounds) {
						all += one(p)
					}
				}
			}
		}
		if s.codec != "" && !sweep {
			all += time.Duration(2*r.rounds)*(r.duration+startAndStop) + time.Duration(3*(sumTimes-1)*r.rounds)*one(peerNamed(epistle))
		}
	}
	return all
}
