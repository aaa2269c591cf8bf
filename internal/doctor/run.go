package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/protocol"
)

// run is one diagnosis. It belongs to the goroutine of Run.
type run struct {
	caller  context.Context
	ctx     context.Context // ends with caller, or when Options.Within has passed
	t       Transport
	o       *Options
	told    func(Check)
	report  *Report
	servers []*server
	brokers map[int32]*broker // those in Metadata's answer
	topics  []*topic
	links   []Link // to be closed at the end

	cluster  string
	rights   int32             // on the cluster, as a bit set; 0: not known
	settings map[string]string // of a broker; nil: not known
}

// errWithin ends a diagnosis that takes too long.
var errWithin = errors.New("the time for all stages together has passed")

// Run does all stages, and tells told (nil: nobody) of each as it ends, on the caller's goroutine. It returns when the last
// one has ended, when o.Within has passed, or soon after the end of ctx, with what is known by then.
func Run(ctx context.Context, t Transport, o Options, told func(Check)) *Report {
	began := t.Now()
	r := &run{caller: ctx, t: t, o: &o, told: told, report: &Report{Controller: -1}, brokers: map[int32]*broker{}}
	var cancel context.CancelFunc
	r.ctx, cancel = cause.Within(ctx, o.Within, fmt.Errorf("%w (%v)", errWithin, o.Within))
	defer cancel()
	r.stages()
	for _, link := range r.links {
		link.Close()
	}
	for _, s := range r.servers {
		r.report.Servers = append(r.report.Servers, s.about)
	}
	for _, t := range r.topics {
		r.report.Topics = append(r.report.Topics, t.state)
	}
	if ctx.Err() != nil {
		r.report.Interrupted = cause.Of(ctx)
	}
	r.report.Took = t.Now().Sub(began)
	return r.report
}

// stages does one after the other. Those that cannot be done say so.
func (r *run) stages() {
	r.reachServers()
	metadata := r.describeCluster()
	r.reachBrokers(metadata)
	r.roundTrips()
	for _, name := range r.o.Topics {
		t := r.newTopic(name, metadata)
		r.describeTopic(t)
		r.mayWrite(t)
		r.topicSettings(t)
	}
	if len(r.o.Topics) == 0 {
		for _, stage := range []Stage{Topic, Rights, Settings} {
			r.skip(stage, "", "no topic was named")
		}
	}
	r.idempotence()
	r.transactions()
	r.testRecord()
}

// add takes a check into the report. One that was cut off by the caller is no finding about the cluster.
func (r *run) add(c Check) {
	if c.Verdict == Failed && c.Err != nil {
		switch {
		case r.caller.Err() != nil:
			c.Verdict, c.Text, c.Advice = Skipped, "interrupted: "+c.Text, ""
		case r.ctx.Err() != nil && !errors.Is(c.Err, errWithin):
			c.Text += "; " + cause.Of(r.ctx).Error()
		}
	}
	r.report.Checks = append(r.report.Checks, c)
	if r.told != nil {
		r.told(c)
	}
}

// skip notes a stage that is not done.
func (r *run) skip(stage Stage, of, why string) {
	r.add(Check{Stage: stage, Of: of, Verdict: Skipped, Text: why})
}

// blocked notes that a stage cannot be done, and why: all is over, or something before it has failed.
func (r *run) blocked(stage Stage, of string) {
	switch {
	case r.caller.Err() != nil:
		r.skip(stage, of, "interrupted")
	case r.ctx.Err() != nil:
		r.skip(stage, of, cause.Of(r.ctx).Error())
	default:
		why := "because of what came before"
		if failed := r.report.FirstFailure(); failed != nil {
			why = "because of " + string(failed.Stage)
		}
		r.skip(stage, of, why)
	}
}

// over reports whether no time is left.
func (r *run) over() bool { return r.ctx.Err() != nil }

// since returns the time that has passed.
func (r *run) since(began time.Time) time.Duration { return r.t.Now().Sub(began) }

// again asks until a broker gives an answer that no later one would better, for as long as there is time, but not for long.
func (r *run) again(ask func() (protocol.ErrorCode, error)) (protocol.ErrorCode, error) {
	const (
		times = 20
		pause = 250 * time.Millisecond
	)
	for n := 1; ; n++ {
		code, err := ask()
		if err != nil || n == times || !slices.Contains(passing, code) {
			return code, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-r.ctx.Done():
			timer.Stop()
			return code, nil
		}
	}
}

// passing are codes of a cluster that is about to answer otherwise.
var passing = []protocol.ErrorCode{
	protocol.CoordinatorLoadInProgress, protocol.CoordinatorNotAvailable, protocol.NotCoordinator, protocol.ConcurrentTransactions,
}
