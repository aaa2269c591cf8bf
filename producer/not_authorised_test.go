package producer_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Who is let in and may not do what it asks for is told so at once, in words that say what is lacking.
func TestNotAuthorised(t *testing.T) {
	send := func(p *producer.Producer, t *testing.T) error {
		_, err := p.SendSync(t.Context(), record("x"))
		return err
	}
	for name, c := range map[string]struct {
		api  int16
		code protocol.ErrorCode
		call func(*producer.Producer, *testing.T) error
		says []string
	}{
		"to describe the topic": {brokertest.Metadata, protocol.TopicAuthorizationFailed, send, []string{`"t"`, "TOPIC_AUTHORIZATION_FAILED"}},
		"to write the topic":    {brokertest.Produce, protocol.TopicAuthorizationFailed, send, []string{"t-0", "TOPIC_AUTHORIZATION_FAILED", "not in the log"}},
		"idempotent writes":     {brokertest.InitProducerID, protocol.ClusterAuthorizationFailed, send, []string{"CLUSTER_AUTHORIZATION_FAILED", "IDEMPOTENT_WRITE"}},
		"the transactional id": {brokertest.InitProducerID, protocol.TransactionalIDAuthorizationFailed,
			func(p *producer.Producer, t *testing.T) error { return p.InitTransactions(t.Context()) }, []string{`"tx"`, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kafka := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.SASL(brokertest.Plain("alice", "secret")))
				p := start(t, kafka, as(loginAs("alice", "secret")), func(cfg *producer.Config) {
					if c.code == protocol.TransactionalIDAuthorizationFailed {
						cfg.TransactionalID = "tx"
					}
				})
				on := kafka.On(c.api).Always()
				if c.api == brokertest.Metadata {
					on = on.Topic("t")
				}
				on.Do(brokertest.Error(c.code))
				begin := time.Now()
				err := c.call(p, t)
				if !errors.Is(err, c.code) || c.api != brokertest.InitProducerID && producer.MayBeWritten(err) || time.Since(begin) > time.Second {
					t.Errorf("got %v after %v, want %v at once", err, time.Since(begin), c.code)
				}
				for _, words := range c.says {
					if err != nil && !strings.Contains(err.Error(), words) {
						t.Errorf("%q lacks %q", err, words)
					}
				}
				kafka.ClearFaults()
			})
		})
	}
}
