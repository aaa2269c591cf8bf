package sender

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/wire"
)

// told is an event that says that it has been applied.
type applied struct{ times int }

func (e *applied) apply(*core) { e.times++ }

// idle returns a sender whose loop does not run, and whose brokers never answer.
func idle(t *testing.T, linger time.Duration) *Sender {
	s := newSender(Config{
		Wire: wire.Config{MaxInFlight: 1, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}},
		Bootstrap: []string{"boot:9092"}, Clock: new(Clock), Metadata: metadata.Config{MaxAge: time.Hour, MaxIdle: time.Hour},
		BatchSize: 16 << 10, MaxBatchBytes: 1 << 20, MaxRequestSize: 1 << 20, Memory: 1 << 20,
		Linger: linger, DeliveryTimeout: time.Minute, RequestTimeout: time.Second, CallbackPatience: time.Minute,
	})
	t.Cleanup(func() {
		s.cancel()
		s.conns.Wait()
	})
	return s
}

// awake returns one whose loop runs, without linger. The test must close it.
func awake(t *testing.T) *Sender {
	s := idle(t, 0)
	go s.completions.run()
	go s.run()
	return s
}

// lonely returns the one partition of a topic, without a leader.
func (s *Sender) lonely() *partition {
	t := &topic{name: "t", queues: s.acc.Topic("t", 0)}
	s.core.grow(t, 1)
	return t.parts[0]
}

// nudged reports whether the loop has been told to take a step, and takes that back.
func (s *Sender) nudged() bool {
	select {
	case <-s.inbox.wake:
		return true
	default:
		return false
	}
}

// A caller whose record may go at once does the step that the loop would have to
// be woken for, and gives the token back.
func TestACallerDoesTheStep(t *testing.T) {
	s, event := idle(t, 0), new(applied)
	s.inbox.put(event)
	s.nudged()
	s.stepInline()
	if event.times != 1 {
		t.Errorf("what had come in was taken up %d times, want once", event.times)
	}
	if len(s.stepToken) != 0 {
		t.Error("the caller has kept the token")
	}
	if s.nudged() {
		t.Error("the loop was woken, though there is nothing for it to do")
	}
}

// Who does a step may have taken the inbox before this came: then the loop takes it again.
func TestACallerWhileAStepIsDone(t *testing.T) {
	s, event := idle(t, 0), new(applied)
	s.inbox.put(event)
	s.nudged()
	s.stepToken <- struct{}{}
	s.stepInline()
	if event.times != 0 {
		t.Error("two do a step at once")
	}
	if !s.nudged() {
		t.Error("nobody will look at what has come in")
	}
}

// However many come at once, and the loop with them: one does a step at a time,
// and all that comes in is taken up, once.
func TestManyCallersAndTheLoop(t *testing.T) {
	s := awake(t)
	const callers, each = 8, 500
	counted, all := 0, make(chan struct{})
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range each {
				s.inbox.put(apply(func() {
					if counted++; counted == callers*each { // two at once would be a race
						close(all)
					}
				}))
				s.stepInline()
			}
		})
	}
	group.Wait()
	<-all
	if _, err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if counted != callers*each {
		t.Errorf("%d of %d events were taken up", counted, callers*each)
	}
}

// apply is an event that does what it says.
type apply func()

func (do apply) apply(*core) { do() }

// The loop's timer is set anew after a step of a caller if something is due before
// it rings, such as to read the clock while a batch is open, and only then.
func TestTheTimerAfterAStepOfACaller(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rings time.Duration // from now
		want  bool
	}{
		{"rings too late", time.Hour, true},
		{"rings in time", time.Millisecond, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := idle(t, 0)
			s.core.schedule.set(s.lonely(), time.Now().Add(time.Minute))
			s.rings = time.Now().Add(tt.rings)
			s.stepInline()
			if got := s.nudged(); got != tt.want {
				t.Errorf("the loop is woken = %v, want %v", got, tt.want)
			}
		})
	}
}

// A sender that has ended does no more steps, whoever comes.
func TestACallerAfterTheEnd(t *testing.T) {
	s := awake(t)
	if _, err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	event := new(applied)
	s.inbox.put(event)
	s.stepInline()
	if event.times != 0 {
		t.Error("a step was done after the end")
	}
}

// What a caller's step has ended is for the loop to end altogether.
func TestACallerAtTheEnd(t *testing.T) {
	s, event := idle(t, 0), new(applied)
	s.inbox.put(aborting{})
	s.nudged()
	for range 2 {
		s.stepInline()
		if !s.nudged() {
			t.Error("the loop does not hear of the end")
		}
		s.inbox.put(event)
	}
	if event.times != 0 {
		t.Error("a step was done after the end")
	}
}

// With linger the sender is on its own, and callers do no step but for what
// somebody waits for.
func TestWhichRecordsHurry(t *testing.T) {
	for _, linger := range []time.Duration{0, time.Hour} {
		s, event := idle(t, linger), new(applied)
		q := s.lonely().queue
		s.inbox.put(event)
		e := accumulator.Entry{Timestamp: time.Now().UnixMilli()}
		if err := q.Append(&e, time.Now(), nil); err != nil {
			t.Fatal(err)
		}
		if at := event.times; (at == 1) != (linger == 0) {
			t.Errorf("linger %v: with its record the caller did %d steps", linger, at)
		}
		if e.Outcome.Urge(); event.times != 1 {
			t.Errorf("linger %v: when it waited the caller had done %d steps, want 1", linger, event.times)
		}
	}
}

// A broken invariant ends the program, even if a caller recovers from whatever
// panics.
func TestABrokenInvariantEndsTheProgram(t *testing.T) {
	if os.Getenv("EPISTLE_TEST_BREAK") != "" {
		s := idle(t, 0)
		s.inbox.put(broken{})
		func() {
			defer func() { _ = recover() }()
			s.stepInline()
		}()
		os.Exit(0) // as if nothing had happened
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestABrokenInvariantEndsTheProgram$")
	command.Env = append(os.Environ(), "EPISTLE_TEST_BREAK=1")
	out, err := command.CombinedOutput()
	if err == nil {
		t.Fatal("the program goes on with a broken sender")
	}
	for _, want := range []string{"sender: nothing is as it was", "broken.apply"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the end does not say %q:\n%s", want, out)
		}
	}
}

// broken is an event that finds an invariant broken.
type broken struct{}

func (broken) apply(*core) { panic("sender: nothing is as it was") }
