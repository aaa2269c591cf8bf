package producer

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sender"
	"github.com/epistle-kafka/epistle/txn"
	"github.com/epistle-kafka/epistle/wire"
)

// innerErrors are what the packages below fail with, and what callers find in its place.
func innerErrors() map[string]struct{ inner, public error } {
	down := &wire.Error{Stage: wire.StageDial, Addr: "b:9092", NodeID: 2, API: "Produce", Round: 3, Err: io.ErrUnexpectedEOF, Hint: "look at it"}
	code := fmt.Errorf("%w: %w", sender.ErrDeliveryTimeout, protocol.NotEnoughReplicas)
	return map[string]struct{ inner, public error }{
		"send": {
			&sender.Error{Topic: "t", Partition: 4, Attempts: 3, Elapsed: time.Second, Err: code, MayBeWritten: true},
			&SendError{Topic: "t", Partition: 4, Attempts: 3, Elapsed: time.Second, Err: code, MayBeWritten: true},
		},
		"identity":      {&sender.IdentityError{Err: code}, &IdentityError{Err: code}},
		"throttle":      {&sender.ThrottleError{Broker: 1, Addr: "b:9092", Asked: 4, Granted: 3, Lasted: 2}, &ThrottleError{Broker: 1, Addr: "b:9092", Asked: 4, Granted: 3, Lasted: 2}},
		"unknown topic": {&metadata.UnknownTopicError{Topic: "t", Nodes: []int32{1, -1}, After: time.Second}, &UnknownTopicError{Topic: "t", Brokers: []int32{1, -1}, After: time.Second}},
		"topic":         {&metadata.TopicError{Topic: "t", Node: 3, Code: protocol.TopicAuthorizationFailed, Addr: "b:9092"}, &TopicError{Topic: "t", Broker: 3, Code: protocol.TopicAuthorizationFailed, Addr: "b:9092"}},
		"broker":        {down, &BrokerError{Stage: StageDial, Addr: "b:9092", Broker: 2, API: "Produce", Round: 3, Err: io.ErrUnexpectedEOF, Hint: "look at it"}},
		"versions":      {&wire.UnsupportedVersionError{API: "Produce", Known: true, BrokerMin: 1, BrokerMax: 2, Min: 3, Max: 4}, &UnsupportedVersionError{API: "Produce", Known: true, BrokerMin: 1, BrokerMax: 2, Min: 3, Max: 4}},
		"transaction": {
			&txn.Error{Call: "CommitTransaction", TransactionalID: "shop", Outcome: txn.Unknown, Next: txn.RetryCall, Err: code},
			&TransactionError{Call: "CommitTransaction", TransactionalID: "shop", Outcome: OutcomeUnknown, Next: NextRetryCall, Err: code},
		},
		"state": {&txn.StateError{Call: "Send", Rule: "begin first"}, &TransactionStateError{Call: "Send", Rule: "begin first"}},
	}
}

// What callers get has the types of this package, whether it is such an error or has one somewhere inside; it says the same,
// and has the same causes.
func TestInnerErrorsAreTranslatedAtTheWall(t *testing.T) {
	for name, e := range innerErrors() {
		if got := outward(e.inner); !reflect.DeepEqual(got, e.public) || got.Error() != e.inner.Error() {
			t.Errorf("%s: got %#v, %q\nwant %#v, %q", name, got, got, e.public, e.inner)
		}
		deep := fmt.Errorf("%w, since %w", io.EOF, fmt.Errorf("that: %w", e.inner))
		got := outward(deep)
		found := reflect.New(reflect.TypeOf(e.public))
		if !errors.As(got, found.Interface()) || !reflect.DeepEqual(found.Elem().Interface(), e.public) {
			t.Errorf("%s, inside: found %#v in %q, want %#v", name, found.Elem().Interface(), got, e.public)
		}
		if got.Error() != deep.Error() || !errors.Is(got, io.EOF) || !errors.Is(got, deep) {
			t.Errorf("%s, inside: %q has lost something of %q", name, got, deep)
		}
		if again := outward(got); again != got {
			t.Errorf("%s: translated twice it is %#v, want as it was", name, again)
		}
		if again := nested(deep); again != got {
			t.Errorf("%s: the same cause is two, %#v and %#v", name, got, again)
		}
		if cause := errors.Unwrap(e.inner); cause != nil && !errors.Is(outward(e.inner), cause) {
			t.Errorf("%s: %v is not found in it", name, cause)
		}
	}
	for _, err := range []error{nil, io.EOF, ErrClosed, protocol.NotEnoughReplicas, &AdmissionError{Topic: "t", Err: io.EOF}, fmt.Errorf("x: %w", &SendError{Err: io.EOF})} {
		if got := outward(err); got != err {
			t.Errorf("%#v becomes %#v, want it left alone", err, got)
		}
	}
}

// A cause that is translated itself is found in what is translated around it.
func TestTranslatedErrorsHoldTranslatedCauses(t *testing.T) {
	code := protocol.BrokerNotAvailable
	err := outward(&sender.Error{Err: fmt.Errorf("%w: %w", ErrDeliveryTimeout, &wire.Error{Stage: wire.StageRequest, API: "Produce", Err: code})})
	var at *BrokerError
	if !errors.As(err, &at) || at.API != "Produce" || !errors.Is(err, code) || !errors.Is(err, ErrDeliveryTimeout) {
		t.Errorf("%v leads to %+v", err, at)
	}
	if errors.As(err, new(*ThrottleError)) {
		t.Errorf("a ThrottleError is found in %v, which has none", err)
	}
}

// The names of stages, outcomes and next steps are those that texts have, and none is missing here.
func TestTheNumbersOfInnerPackagesAreOurs(t *testing.T) {
	for o, inner := range map[TransactionOutcome]txn.Outcome{OutcomeOpen: txn.Open, OutcomeCommitted: txn.Committed, OutcomeAborted: txn.Aborted, OutcomeUnknown: txn.Unknown} {
		if TransactionOutcome(inner) != o || o.String() != inner.String() {
			t.Errorf("outcome %v is %v inside", o, inner)
		}
	}
	for n, inner := range map[NextStep]txn.Next{NextRetryCall: txn.RetryCall, NextAbort: txn.Abort, NextNewProducer: txn.NewProducer, NextFixConfiguration: txn.FixConfiguration} {
		if NextStep(inner) != n || n.String() != inner.String() {
			t.Errorf("next step %v is %v inside", n, inner)
		}
	}
	for s, inner := range map[Stage]wire.Stage{
		StageResolve: wire.StageResolve, StageDial: wire.StageDial, StageTLS: wire.StageTLS,
		StageApiVersions: wire.StageApiVersions, StageSASL: wire.StageSASL, StageRequest: wire.StageRequest,
	} {
		if Stage(inner) != s || s.String() != inner.String() {
			t.Errorf("stage %v is %v inside", s, inner)
		}
	}
	if s := (OutcomeUnknown + 1).String(); s != "Outcome(4)" {
		t.Errorf("there is an outcome %s", s)
	}
	if s := (NextFixConfiguration + 1).String(); s != "Next(4)" {
		t.Errorf("there is a next step %s", s)
	}
	if s := (StageRequest + 1).String(); s != "Stage(7)" {
		t.Errorf("there is a stage %s", s)
	}
}
