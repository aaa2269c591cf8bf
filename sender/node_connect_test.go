package sender

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// A switchboard is effects in which dials for data end when the test says so, or when their time has passed.
type switchboard struct {
	*bench
	open []*call
	log  []string
	most int // dials under way at once
}

type call struct {
	to      *node
	which   lane
	dial    *dial
	stopped error
}

func (s *switchboard) dial(n *node, which lane, at *dial) {
	if which == control {
		s.bench.dial(n, which, at)
		return
	}
	c := &call{to: n, which: which, dial: at}
	at.stop = func(err error) { c.stopped = err }
	s.open = append(s.open, c)
	s.most = max(s.most, len(s.open))
	kind := "elder"
	if !at.elder {
		kind = at.whole.String()
	}
	s.log = append(s.log, fmt.Sprintf("%v %v", s.now.Sub(scriptStart), kind))
}

// finish ends a dial with err, or with a connection.
func (s *switchboard) finish(c *call, err error) {
	s.open = slices.DeleteFunc(s.open, func(o *call) bool { return o == c })
	d := dialed{node: c.to, which: c.which, dial: c.dial, err: err}
	if err == nil {
		conn := &benchConn{b: s.bench, node: c.to, which: c.which, count: new(int)}
		s.conns = append(s.conns, conn)
		d.conn = conn
	}
	s.post(d)
	s.settle()
}

// pass lets time go by, in which dials give way that have to.
func (s *switchboard) pass(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); {
		s.bench.pass(10 * time.Millisecond)
		for _, c := range slices.Clone(s.open) {
			if c.stopped != nil {
				s.finish(c, c.stopped)
			} else if c.dial.whole > 0 && !s.now.Before(c.dial.began.Add(c.dial.whole)) {
				s.finish(c, errGaveWay)
			}
		}
	}
}

// newSwitchboard returns one at which a record waits for broker 1.
func newSwitchboard() *switchboard {
	b := newBench(nil)
	s := &switchboard{bench: b}
	b.c.out = s
	b.run([]string{"topic", "t", "a", "1/0"})
	b.run([]string{"want", "t"})
	for id := range int32(3) {
		b.c.connect(b.c.nodes.of(id+1), control)
	}
	s.settle()
	b.run([]string{"append", "t-0", "r"})
	return s
}

// Beside a dial that is silent others begin (R2): by the patience first, and then by the backoff. The first has all of
// its time; of the others there is a young one always, and never more than four are under way. When one gets through the
// others are stopped, and nothing of them counts.
func TestDialsBesideASilentOne(t *testing.T) {
	s := newSwitchboard()
	s.pass(8 * time.Second)
	want := []string{"0s elder", "1s 2s", "2s 4s", "3s 2s", "4s 8s", "5s 2s", "6s 4s", "7s 2s"}
	if !slices.Equal(s.log, want) {
		t.Errorf("dials %q, want %q", s.log, want)
	}
	if s.most != maxDials {
		t.Errorf("%d dials at once, want %d", s.most, maxDials)
	}
	youngest := s.open[len(s.open)-1]
	s.finish(youngest, nil)
	others := slices.Clone(s.open)
	if len(others) == 0 {
		t.Error("no other dial is under way")
	}
	for _, c := range others {
		if c.stopped != errBeaten {
			t.Errorf("a dial is ended by %v, want that another was faster", c.stopped)
		}
		s.finish(c, errBeaten)
	}
	l := &s.c.nodes.of(1).links[data]
	if l.conn == nil || l.busy != 1 || len(l.dials) != 0 {
		t.Errorf("connected: %v, %d requests, %d dials; want the record on its way and no dial", l.conn != nil, l.busy, len(l.dials))
	}
}

// A connection that is made when there is one already is closed, and what becomes of it disturbs nobody.
func TestTwoDialsGetThrough(t *testing.T) {
	s := newSwitchboard()
	s.pass(1500 * time.Millisecond)
	first, second := s.open[0], s.open[1]
	s.finish(second, nil)
	l := &s.c.nodes.of(1).links[data]
	conn, failures := l.conn, l.failures
	s.finish(first, nil)
	if l.conn != conn || l.failures != failures || !l.notUntil.IsZero() {
		t.Error("the second connection took the place of the first, or its end counts")
	}
	if spare := s.conns[len(s.conns)-1]; !spare.broken {
		t.Error("the second connection is open")
	}
}

// What a stage may take grows with dials in a row that had all of their time, and with nothing else (R1): not with the end
// of a connection, nor with a refusal. No stage on an open socket has more than request.timeout.
func TestOnlyTimeoutsLengthenTheBound(t *testing.T) {
	s := newSwitchboard()
	s.c.cfg.RequestTimeout = 3 * time.Second
	dial := func() *dial {
		s.pass(2 * time.Second)
		return s.open[len(s.open)-1].dial
	}
	bounds := func(when string, connect, stage time.Duration) {
		t.Helper()
		if d := dial(); d.bounds.Connect != connect || d.bounds.Stage != stage {
			t.Errorf("%s: %v to open the socket and %v for a stage, want %v and %v", when, d.bounds.Connect, d.bounds.Stage, connect, stage)
		}
	}
	endAll := func(err error) {
		for len(s.open) > 0 {
			s.finish(s.open[0], err)
		}
	}
	endAll(nil)
	for range 4 {
		s.live(1, data).hangUp(errHangUp, true)
		bounds("after the end of a connection", 10*time.Second, 3*time.Second)
		s.finish(s.open[0], nil)
		endAll(errBeaten)
	}
	s.live(1, data).hangUp(errHangUp, true)
	for range 3 {
		bounds("after a refusal", 10*time.Second, 3*time.Second)
		endAll(errHangUp)
	}
	bounds("before", 10*time.Second, 3*time.Second)
	s.finish(s.open[0], context.DeadlineExceeded)
	endAll(errGaveWay)
	bounds("after a dial that timed out", 20*time.Second, 3*time.Second)
}

// A broker whose other connection has just been made is tried at once.
func TestOneLaneGetsThrough(t *testing.T) {
	s := newSwitchboard()
	s.pass(5500 * time.Millisecond)
	before := len(s.log)
	s.run([]string{"hangupcontrol"})
	s.pass(60 * time.Millisecond) // the backoff
	for id := range int32(3) {
		s.c.connect(s.c.nodes.of(id+1), control)
	}
	s.settle()
	s.pass(30 * time.Millisecond)
	if len(s.log) != before+1 {
		t.Errorf("%d dials began when the other lane got through, want 1", len(s.log)-before)
	}
}

// When all connections were lost and the first is made again, everybody is tried at once, whatever backoff is in force;
// and once only.
func TestFirstConnectionAfterAllWereLost(t *testing.T) {
	s := newSwitchboard()
	s.pass(5500 * time.Millisecond)
	s.run([]string{"hangupcontrol"})
	for id := range int32(3) {
		s.c.nodes.of(id + 1).links[control].notUntil = s.now.Add(time.Hour)
	}
	before := len(s.log)
	s.c.nodes.of(2).links[control].notUntil = time.Time{}
	s.c.connect(s.c.nodes.of(2), control)
	s.settle()
	if l := &s.c.nodes.of(3).links[control]; l.notUntil.After(s.now) {
		t.Errorf("broker 3 is left in its backoff, for %v", l.notUntil.Sub(s.now))
	}
	s.pass(30 * time.Millisecond)
	if n := len(s.log) - before; n != 1 {
		t.Errorf("%d dials to the silent broker began, want 1", n)
	}
	s.c.nodes.of(3).links[control].notUntil = s.now.Add(time.Hour)
	s.c.connect(s.c.nodes.of(1), control) // not the first
	s.settle()
	if l := &s.c.nodes.of(3).links[control]; !l.notUntil.After(s.now) {
		t.Error("another connection ends the backoff of broker 3 again")
	}
}
