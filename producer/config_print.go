package producer

import (
	"context"
	"fmt"

	"github.com/epistle-kafka/epistle/sasl"
)

// Format prints c as package fmt prints any struct, but of SASL only the name: a mechanism holds credentials.
func (c Config) Format(f fmt.State, verb rune) {
	type plain Config
	p := plain(c)
	if p.SASL != nil {
		p.SASL = named(c.SASL.Name())
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), p)
}

// named is a mechanism without anything else.
type named string

func (n named) Name() string { return string(n) }

func (n named) Begin(context.Context, sasl.Target) (sasl.Exchange, error) {
	panic("producer: a mechanism that is only for printing")
}
