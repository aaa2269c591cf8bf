package producer

import (
	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/sender"
	"github.com/epistle-kafka/epistle/txn"
	"github.com/epistle-kafka/epistle/wire"
)

// The packages below this one have error types of their own, which promise nothing to anybody. This file is the wall: what a
// caller gets has this package's types in their place. It sees failures alone, and each of them once.

// outward returns err as callers get it. An error of an inner package becomes one of this package. An error that wraps one of
// an inner package keeps its text, and errors.As finds this package's type in it. All others are returned as they are, nil too.
func outward(err error) error {
	if public := translated(err); public != nil {
		return public
	}
	return nested(err)
}

// nested is outward for an error that another error wraps. It keeps the identity of err: the results of two calls are equal,
// and errors.Is finds err in them.
func nested(err error) error {
	if !hasInner(err) {
		return err
	}
	return veiled{err}
}

// translated returns this package's error for one of an inner package, and nil for all others.
func translated(err error) error {
	switch e := err.(type) {
	case *sender.Error:
		return &SendError{
			Topic: e.Topic, Partition: e.Partition, Attempts: e.Attempts, Elapsed: e.Elapsed, Err: nested(e.Err), MayBeWritten: e.MayBeWritten,
		}
	case *sender.IdentityError:
		return &IdentityError{Err: nested(e.Err)}
	case *sender.ThrottleError:
		return &ThrottleError{Broker: e.Broker, Addr: e.Addr, Asked: e.Asked, Granted: e.Granted, Lasted: e.Lasted}
	case *metadata.UnknownTopicError:
		return &UnknownTopicError{Topic: e.Topic, Brokers: e.Nodes, After: e.After}
	case *metadata.TopicError:
		return &TopicError{Topic: e.Topic, Broker: e.Node, Addr: e.Addr, Code: e.Code}
	case *wire.Error:
		return &BrokerError{
			Stage: Stage(e.Stage), Broker: e.NodeID, Addr: e.Addr, API: e.API, Round: e.Round, Err: nested(e.Err), Hint: e.Hint,
		}
	case *wire.UnsupportedVersionError:
		return &UnsupportedVersionError{
			API: e.API, Known: e.Known, BrokerMin: e.BrokerMin, BrokerMax: e.BrokerMax, Min: e.Min, Max: e.Max,
		}
	case *txn.Error:
		return &TransactionError{
			Call: e.Call, TransactionalID: e.TransactionalID,
			Outcome: TransactionOutcome(e.Outcome), Next: NextStep(e.Next), Err: nested(e.Err),
		}
	case *txn.StateError:
		return &TransactionStateError{Call: e.Call, Rule: e.Rule}
	}
	return nil
}

// veiled is an error that wraps one of an inner package.
type veiled struct{ err error } // of a pointer type: so veiled can be compared

func (v veiled) Error() string { return v.err.Error() }

func (v veiled) Unwrap() error { return v.err }

// As sets target to the translation of the first error inside that has target's type.
func (v veiled) As(target any) bool {
	switch target := target.(type) {
	case **SendError:
		return translate(v.err, target)
	case **IdentityError:
		return translate(v.err, target)
	case **ThrottleError:
		return translate(v.err, target)
	case **UnknownTopicError:
		return translate(v.err, target)
	case **TopicError:
		return translate(v.err, target)
	case **BrokerError:
		return translate(v.err, target)
	case **UnsupportedVersionError:
		return translate(v.err, target)
	case **TransactionError:
		return translate(v.err, target)
	case **TransactionStateError:
		return translate(v.err, target)
	}
	return false
}

// translate sets target to the first error inside err that is translated to its type.
func translate[T error](err error, target *T) bool {
	return anyInside(err, func(inside error) bool {
		public, ok := translated(inside).(T)
		if ok {
			*target = public
		}
		return ok
	})
}

// hasInner reports whether err wraps an error of an inner package that is not translated yet.
func hasInner(err error) bool {
	return anyInside(err, func(inside error) bool { return translated(inside) != nil })
}

// anyInside calls is for err and for all errors that it wraps, in the order of errors.As, until is says true. It does not look
// into what is translated already.
func anyInside(err error, is func(error) bool) bool {
	if _, ok := err.(veiled); ok || err == nil {
		return false
	}
	if is(err) {
		return true
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		return anyInside(err.Unwrap(), is)
	case interface{ Unwrap() []error }:
		for _, inside := range err.Unwrap() {
			if anyInside(inside, is) {
				return true
			}
		}
	}
	return false
}
