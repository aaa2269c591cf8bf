package security

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/epistle-kafka/epistle/sasl"
)

// Whoever has a delegation token of a user's logs in with it, by either kind of SCRAM.
func TestDelegationToken(t *testing.T) {
	t.Parallel()
	s := broker(t)
	id, hmac := s.delegate(t)
	for _, m := range []sasl.Mechanism{sasl.ScramSHA256From(sasl.DelegationToken(id, hmac)), sasl.ScramSHA512From(sasl.DelegationToken(id, hmac))} {
		t.Run(m.Name(), func(t *testing.T) { s.delivers(t, onSASL, by(m)) })
	}
}

// delegate makes a token of alice's, who has to ask for it herself, and waits until the broker knows it.
func (s *site) delegate(t *testing.T) (id, hmac string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Listener(0, onSASL)),
		kgo.SASL(scram.Auth{User: "alice", Pass: password}.AsSha512Mechanism()))
	do(t, err)
	defer client.Close()
	admin, ctx := kadm.NewClient(client), soon(t)
	made, err := admin.CreateDelegationToken(ctx, kadm.CreateDelegationToken{MaxLifetime: time.Hour})
	do(t, err)
	for {
		known, err := admin.DescribeDelegationTokens(ctx)
		do(t, err)
		if slices.ContainsFunc(known, func(d kadm.DelegationToken) bool { return d.TokenID == made.TokenID }) {
			return made.TokenID, base64.StdEncoding.EncodeToString(made.HMAC)
		}
		select {
		case <-ctx.Done():
			t.Fatal(fmt.Errorf("%w: the broker does not know its token %s", ctx.Err(), made.TokenID))
		case <-time.After(50 * time.Millisecond):
		}
	}
}
