package producer_test

import (
	"context"
	"sync/atomic"

	"github.com/epistle-kafka/epistle/sasl"
)

// A login is PLAIN as these tests need it: its password can be changed, and it counts how often it was asked.
type login struct {
	user     string
	password atomic.Pointer[string]
	begun    atomic.Int64
	fails    atomic.Pointer[error] // Begin's error
}

func loginAs(user, password string) *login {
	l := &login{user: user}
	l.setPassword(password)
	return l
}

func (l *login) setPassword(password string) { l.password.Store(&password) }

func (l *login) fail(err error) {
	if err == nil {
		l.fails.Store(nil)
		return
	}
	l.fails.Store(&err)
}

func (l *login) Name() string { return "PLAIN" }

func (l *login) Begin(context.Context, sasl.Target) (sasl.Exchange, error) {
	l.begun.Add(1)
	if err := l.fails.Load(); err != nil {
		return nil, *err
	}
	return (*plainExchange)(l), nil
}

type plainExchange login

func (x *plainExchange) Next(_ context.Context, challenge []byte) ([]byte, bool, error) {
	if challenge == nil {
		return []byte("\x00" + x.user + "\x00" + *x.password.Load()), false, nil
	}
	return nil, true, nil
}
