package producer

import (
	"context"
	"fmt"

	"github.com/epistle-kafka/epistle/sasl"
)

// Format prints c as package fmt prints any struct, but SASL by its name alone: a mechanism holds credentials. All verbs print
// what %v does, since package fmt does not ask the methods of a field for which the verb is wrong.
func (c Config) Format(f fmt.State, _ rune) {
	type plain Config
	p := plain(c)
	if p.SASL != nil {
		p.SASL = named(c.SASL.Name())
	}
	fmt.Fprintf(f, fmt.FormatString(f, 'v'), p)
}

// Format prints the brokers that p was configured with, whatever the verb. The fields of p change while others look at them,
// and hold the SASL mechanism.
func (p *Producer) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "producer.Producer to %q", p.cfg.BootstrapServers)
}

// named is a mechanism without anything else.
type named string

func (n named) Name() string { return string(n) }

func (n named) Begin(context.Context, sasl.Target) (sasl.Exchange, error) {
	panic("producer: a mechanism that is only for printing")
}

// Format prints the topic's name, whatever the verb.
func (t *Topic) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "producer.Topic %q", t.name) }

// Format prints the types, whatever the verb.
func (t *Typed[K, V]) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%T", t) }

// Format prints the types, whatever the verb.
func (t *TypedTopic[K, V]) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%T", t) }

// Format prints that it is a transaction, whatever the verb.
func (tx *Tx) Format(f fmt.State, _ rune) { fmt.Fprint(f, "producer.Tx") }
