package producer

import (
	"context"
	"fmt"

	"github.com/epistle-kafka/epistle/sasl"
)

// Format prints c as package fmt prints any struct, but of SASL only the name: a mechanism holds credentials. Verbs other than
// %v are taken for that: with a verb that is wrong for a field package fmt prints it without asking its methods.
func (c Config) Format(f fmt.State, _ rune) {
	type plain Config
	p := plain(c)
	if p.SASL != nil {
		p.SASL = named(c.SASL.Name())
	}
	fmt.Fprintf(f, fmt.FormatString(f, 'v'), p)
}

// Format prints to which brokers p goes, whatever the verb. What is in p is not for others to read: it changes meanwhile, and
// the mechanism of SASL is in it.
func (p *Producer) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "producer.Producer to %q", p.cfg.BootstrapServers)
}

// named is a mechanism without anything else.
type named string

func (n named) Name() string { return string(n) }

func (n named) Begin(context.Context, sasl.Target) (sasl.Exchange, error) {
	panic("producer: a mechanism that is only for printing")
}

// Format prints the topic's name alone, whatever the verb, as Producer's does.
func (t *Topic) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "producer.Topic %q", t.name) }

// Format prints the types alone, whatever the verb, as Producer's does.
func (t *Typed[K, V]) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%T", t) }

// Format prints the types alone, whatever the verb, as Producer's does.
func (t *TypedTopic[K, V]) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%T", t) }

// Format prints no more than that it is a transaction, whatever the verb, as Producer's does.
func (tx *Tx) Format(f fmt.State, _ rune) { fmt.Fprint(f, "producer.Tx") }
