package sender

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/internal/overdue"
	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// A Sender delivers what is appended to its accumulator's queues. Its methods are safe for concurrent use.
type Sender struct {
	cfg       *Config
	acc       *accumulator.Accumulator
	published published
	inbox     *inbox

	closing atomic.Bool // Close has begun

	completions *completions
	packers     *packers
	desk        *desk // nil without a log

	ctx     context.Context // ends when the loop aborts; bounds dials
	cancel  context.CancelFunc
	conns   sync.WaitGroup // established connections that have not closed
	stopped chan struct{}  // closed when every record has its outcome and no connection is left
	ended   chan struct{}  // closed when the callbacks have returned, too

	looking   sync.Mutex    // guards core once the loop has ended, for those who want to see what it has left
	stepToken chan struct{} // capacity 1: full while somebody does a step, who owns the following
	core      *core
	events    []event   // scratch
	rings     time.Time // when the loop's timer fires; zero: the loop steps without it
	missed    time.Time // the last value of rings at which the process stood still
	trimmed   time.Time // when memory last was trimmed
}

// New starts a sender. It does no I/O until a topic is asked for.
func New(cfg Config) *Sender {
	s := newSender(cfg)
	go s.completions.run()
	if s.desk != nil {
		go s.desk.run()
	}
	go s.run()
	return s
}

// newSender is New without the goroutines.
func newSender(cfg Config) *Sender {
	s := &Sender{
		cfg: &cfg, inbox: newInbox(), stepToken: make(chan struct{}, 1), trimmed: time.Now(),
		stopped: make(chan struct{}), ended: make(chan struct{}),
	}
	s.cfg.Wire.MaxThrottle, s.cfg.Wire.LogSocketOnce, s.cfg.Wire.LogReadableOnce = cfg.DeliveryTimeout, new(sync.Once), new(sync.Once)
	s.cfg.Wire.Deserted = new(wire.Deserted)
	s.cfg.Wire.Renewed = func(err error) {
		if err == nil {
			s.published.renewed.Add(1)
		}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	wake := s.inbox.nudge
	if cfg.Linger == 0 {
		wake = s.stepInline
	}
	s.cfg.Clock.start(time.Now(), s.inbox.nudge)
	s.acc = accumulator.New(accumulator.Config{
		Epoch:         s.cfg.Clock.epoch,
		BatchSize:     cfg.BatchSize,
		MaxBatchBytes: cfg.MaxBatchBytes,
		Memory:        cfg.Memory,
		SealAge:       max(cfg.Linger, cfg.DeliveryTimeout/20),
		Even:          cfg.Even,
		Compressed:    cfg.Codec != protocol.CodecNone,
		Wake:          wake,
		Urgent:        s.stepInline,
		Why:           s.Why,
	})
	s.completions = newCompletions(cfg.Complete)
	if cfg.Codec != protocol.CodecNone {
		s.packers = newPackers(cfg.Codec, cfg.CodecLevel, s.inbox)
	}
	meta := cfg.Metadata
	if meta.Jitter == nil {
		meta.Jitter = rand.Float64
	}
	s.core = newCore(s.cfg, s, s.acc, metadata.New(meta), &s.published)
	s.core.metrics.start(time.Now())
	if cfg.Logger != nil && cfg.Logger.Handler() != slog.DiscardHandler {
		s.desk = newDesk(cfg.Logger.Handler())
		s.core.news = newNews(s.core, s.desk.put)
	}
	s.cfg.Wire.Logger = s.Log()
	if cfg.Metrics != nil {
		s.core.pusher = newPusher(s.core, time.Now(), s.collect)
	}
	return s
}

// trimEvery is how long memory that nobody needs is kept at least.
const trimEvery = 10 * time.Second

// run is the loop.
func (s *Sender) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	rang := false
	for {
		s.stepToken <- struct{}{}
		now := time.Now()
		at := s.step(now)
		if rang {
			s.rings = zero
		}
		if s.core.done() {
			break // with the token: there are no more steps
		}
		// An early timer is left as it is: setting it costs more than a step.
		if at.IsZero() {
			at = now.Add(24 * time.Hour)
		}
		if s.rings.IsZero() || at.Before(s.rings) {
			s.rings = at
			timer.Reset(max(time.Until(at), 0))
		}
		<-s.stepToken
		select {
		case <-s.inbox.wake:
			rang = false
		case <-timer.C:
			rang = true
		}
	}
	s.cfg.Clock.stop()
	s.conns.Wait()
	s.core.metrics.countLeft(s.inbox.take(nil))
	s.core.hooks.end()
	if s.packers != nil {
		s.packers.close()
	}
	close(s.stopped)
	s.completions.close()
	close(s.ended)
}

// step applies the events that have come in and does all that can be done now. It returns when the next step is due at the
// latest; the zero time for never. Only the holder of stepToken calls it. It waits for nothing.
func (s *Sender) step(now time.Time) time.Time {
	tick := s.cfg.Clock.tick(now)
	s.noticePause(now)
	s.events = s.inbox.take(s.events)
	for i, e := range s.events {
		s.core.handle(now, e)
		s.events[i] = nil
	}
	s.completions.handOver()
	if s.core.aborted {
		s.cancel()
	}
	at := s.core.step(now)
	s.completions.handOver()
	at = sooner(at, tick)
	if s.acc.Memory.Spare() {
		if now.Sub(s.trimmed) >= trimEvery {
			s.trimmed = now
			s.acc.Memory.Trim()
		}
		at = sooner(at, s.trimmed.Add(trimEvery))
	}
	return at
}

// system returns the system's time.
func (c *Clock) system() time.Time { return systemTime() }

func systemTime() time.Time { return time.Now() }

// noticePause tells the core if the loop's timer should have rung long ago.
func (s *Sender) noticePause(now time.Time) {
	if s.rings.IsZero() || now.Sub(s.rings) <= punctual || s.rings.Equal(s.missed) {
		return
	}
	s.missed = s.rings
	s.core.pause.stoodStill(s.rings.Add(-1), now)
}

// stepInline runs a step on the caller's goroutine if no other step is in progress: the caller has a record that may go at
// once, and waking the loop's goroutine on another processor takes longer than the step. Otherwise the loop runs it.
func (s *Sender) stepInline() {
	if on := s.cfg.Hooks; on != nil && !on.OnCallers { // a hook may need a lock that the caller holds
		s.inbox.nudge()
		return
	}
	select {
	case s.stepToken <- struct{}{}:
	default:
		s.inbox.nudge() // the step in progress may have taken the inbox already
		return
	}
	defer crash()
	needed := s.core.done() // the loop is needed, to end or to set its timer
	if !needed {
		at := s.step(time.Now())
		needed = s.core.done() || !at.IsZero() && at.Before(s.rings)
	}
	<-s.stepToken
	if needed {
		s.inbox.nudge()
	}
}

// closeGrace is how long Close waits for callbacks of the records that it has failed. They are short as a rule, and one that is
// not must not hold Close up.
const closeGrace = time.Second

// flushGrace is how long a Flush whose ctx has ended waits for callbacks, if every record has its outcome.
const flushGrace = 10 * time.Millisecond

// grace waits for done, but not for longer than left. It returns how much of left remains.
func (s *Sender) grace(done <-chan struct{}, left time.Duration) time.Duration {
	began := time.Now()
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
	return left - time.Since(began)
}

// Log returns the user's log for those around the sender. Logging there never waits for the handler.
func (s *Sender) Log() *slog.Logger {
	if s.desk == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(intake{desk: s.desk})
}

// lastWord logs that the sender is closed, as the last line. A handler that hangs does not hold Close up for longer than left.
func (s *Sender) lastWord(failed int64, left time.Duration) {
	if s.desk == nil {
		return
	}
	s.desk.close(line{lineClosed.record(time.Now(), slog.Int64("failed", failed)), subject{text: lineClosed.text}})
	s.grace(s.desk.done, max(left, closeGrace/4))
}

// The effects of the core.

func (s *Sender) dial(n *node, which lane, d *dial) {
	peer := wire.Peer{Addr: d.addr, NodeID: max(n.id, -1), Answered: s.core.nodes.heardOf(d.addr), Served: s.core.nodes.servedAt(d.addr), HungUp: n.links[which].unheard, Counters: n.counts.wire}
	if s.cfg.ClusterCheck && n.id >= 0 {
		peer.ClusterID = s.core.meta.Snapshot().ClusterID
	}
	ctx, stop := context.WithCancelCause(s.ctx)
	d.stop = stop
	d.bounds.Entered = func(stage wire.Stage) {
		if stage == wire.StageSASL {
			s.inbox.put(presenting{d})
		}
	}
	d.bounds.Hampered = func(err error) { s.inbox.put(hampered{n, which, d, err}) }
	s.conns.Add(1)
	go func() {
		defer stop(nil)
		if d.whole > 0 {
			defer time.AfterFunc(d.whole, func() { stop(errGaveWay) }).Stop()
		}
		c, err := wire.DialWithin(ctx, &s.cfg.Wire, peer, d.bounds, func(c *wire.Conn, err error) {
			s.inbox.put(hungUp{n, which, c, err})
			s.conns.Done()
		})
		if err != nil {
			s.conns.Done()
			s.inbox.put(dialed{node: n, which: which, dial: d, err: err})
			return
		}
		s.inbox.put(dialed{node: n, which: which, dial: d, conn: c, asked: c.HandshakeThrottle()})
	}()
}

func (s *Sender) pack(r *request, d *delivery) { s.packers.put(packing{r, d}) }
func (s *Sender) post(e event)                 { s.inbox.put(e) }
func (s *Sender) end(o *accumulator.Outcome)   { s.completions.hold(completion{outcome: o}) }
func (s *Sender) after(g *accumulator.Group)   { s.completions.hold(completion{group: g}) }
func (s *Sender) random() float64              { return rand.Float64() }

// await waits for done, for the end of the sender or of ctx, or until one callback has run for too long.
func (s *Sender) await(ctx context.Context, done <-chan struct{}) error {
	patience := time.NewTicker(s.cfg.CallbackPatience)
	defer patience.Stop()
	s.completions.watched.Add(1)
	defer s.completions.watched.Add(-1)
	stuck, asked, over := s.completions.running.Load(), time.Now(), ctx.Err() != nil
	for {
		select {
		case <-done:
			return nil
		case <-s.ended:
			return nil
		case <-ctx.Done():
			select {
			case <-done: // both have come: what is done is done
				return nil
			case <-s.ended:
				return nil
			default:
			}
			if !over && overdue.After(ctx, done, s.ended) {
				return nil
			}
			if now := s.completions.running.Load(); now != 0 && now == stuck {
				return fmt.Errorf("%w; a callback has not returned meanwhile: one that calls Flush or Close waits for itself", cause.Of(ctx))
			}
			return cause.Of(ctx)
		case at := <-patience.C:
			now := s.completions.running.Load()
			stoodStill := at.Sub(asked) > s.cfg.CallbackPatience+punctual // the callback did, too
			if now != 0 && now == stuck && !stoodStill {
				return ErrCallback
			}
			stuck, asked = now, at
		}
	}
}
