package sasl_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/epistle-kafka/epistle/sasl"
)

// Tickets is a mechanism of one's own, as a value for producer.Config.SASL. The client sends a ticket, and the broker answers
// with the user's name.
type Tickets struct {
	Fetch func(ctx context.Context, host string) (sasl.Secret, error)
}

// Name is the name that brokers list.
func (Tickets) Name() string { return "X-TICKET" }

// Begin fetches a ticket for each authentication. An error is tried again with the next connection.
func (t Tickets) Begin(ctx context.Context, target sasl.Target) (sasl.Exchange, error) {
	ticket, err := t.Fetch(ctx, target.Host)
	if err != nil {
		return nil, fmt.Errorf("fetching a ticket: %w", err)
	}
	return &ticketExchange{ticket: ticket}, nil
}

type ticketExchange struct {
	ticket sasl.Secret
	sent   bool
}

// Next is called with nil first, then with each answer of the broker, until it returns done.
func (e *ticketExchange) Next(_ context.Context, challenge []byte) (response []byte, done bool, err error) {
	switch {
	case !e.sent:
		e.sent = true
		return []byte(e.ticket), false, nil
	case len(challenge) == 0:
		return nil, false, sasl.Final(errors.New("the broker does not say whose ticket it is")) // no repetition mends that
	}
	return nil, true, nil
}

// What the producer does with a Mechanism on each connection.
func ExampleMechanism() {
	ctx := context.Background()
	var m sasl.Mechanism = Tickets{Fetch: func(_ context.Context, host string) (sasl.Secret, error) {
		return sasl.Secret("ticket for " + host), nil
	}}
	exchange, err := m.Begin(ctx, sasl.Target{Host: "broker-1", Port: 9092})
	if err != nil {
		fmt.Println(err)
		return
	}
	response, done, err := exchange.Next(ctx, nil)
	fmt.Printf("%s: %s, %v, %v\n", m.Name(), response, done, err)
	_, done, err = exchange.Next(ctx, []byte("alice"))
	fmt.Println(done, err)
	// Output:
	// X-TICKET: ticket for broker-1, false, <nil>
	// true <nil>
}
