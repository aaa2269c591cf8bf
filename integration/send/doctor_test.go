package send_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// diagnose looks at a topic as a producer with these settings would meet it.
func diagnose(t *testing.T, cfg producer.Config, topic string, options ...producer.DiagnoseOption) *producer.Diagnosis {
	t.Helper()
	options = append([]producer.DiagnoseOption{producer.DiagnoseTopics(topic), producer.DiagnoseWithin(patience)}, options...)
	d, err := producer.Diagnose(soon(t), cfg, options...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// checks is what a diagnosis says, a check in a line.
func checks(d *producer.Diagnosis) string {
	var b strings.Builder
	for _, c := range d.Checks {
		fmt.Fprintln(&b, c)
	}
	return b.String()
}

// A healthy broker gives no alarm, and a producer with the same transactional id and a transaction open goes on.
func TestDiagnosisOfAHealthyBroker(t *testing.T) {
	c := kafka.Shared(t)
	topic, id := newTopic(t, c, 3), topicName(t)
	other := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID, cfg.TransactionTimeout = id, 10*time.Minute })
	ctx := soon(t)
	if err := errors.Join(other.InitTransactions(ctx), other.BeginTransaction(ctx)); err != nil {
		t.Fatal(err)
	}
	if _, err := other.SendSync(ctx, producer.Record{Topic: topic, Value: []byte("in the transaction")}); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*producer.Config){
		func(*producer.Config) {},
		func(cfg *producer.Config) { cfg.TransactionalID = id },
	} {
		d := diagnose(t, settings(c, change), topic)
		for _, check := range d.Checks {
			if check.Verdict == producer.VerdictFailed || check.Verdict == producer.VerdictNotice && check.Stage != producer.CheckRoundTrip {
				t.Errorf("a healthy broker has something wrong with it: %s", check)
			}
		}
		if t.Logf("%s", checks(d)); !d.Healthy() || len(d.Topics[0].Settings) == 0 || d.Topics[0].MayWrite == nil || d.ClusterID == "" {
			t.Errorf("what was found is %+v", d)
		}
	}
	if err := other.CommitTransaction(ctx); err != nil {
		t.Errorf("the producer with the id cannot commit any more: %v", err)
	}
	d := diagnose(t, settings(c), topic, producer.DiagnoseSend())
	if d.Record == nil || d.Record.Offset < 0 {
		t.Errorf("no test record was written:\n%s", checks(d))
	}
	found := 0
	for _, records := range read(t, c, topic) {
		for _, r := range records {
			if string(r.Key) == "epistle-doctor" {
				found++
			}
		}
	}
	if found != 1 {
		t.Errorf("%d test records are in the log, want 1", found)
	}
}

// Rights that are missing, and a topic that is, are named by the stage that fails first.
func TestDiagnosisOfFaults(t *testing.T) {
	const everybody = "User:ANONYMOUS"
	c := kafka.Shared(t)
	a := admin(t, c)
	rule := func(t *testing.T, deny, allow func(context.Context) error) {
		t.Helper()
		if err := deny(soon(t)); errors.Is(err, reader.ErrNoAuthorizer) {
			kafka.NotRun(t, err.Error())
		} else if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := allow(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	expect := func(t *testing.T, cfg producer.Config, topic string, stage producer.CheckStage, says string) {
		t.Helper()
		for ctx := soon(t); ; {
			d := diagnose(t, cfg, topic)
			first := d.FirstFailure()
			if first != nil && first.Stage == stage && strings.Contains(first.Text, says) && first.Advice != "" {
				t.Log(first)
				return
			}
			pause(t, ctx, fmt.Sprintf("the first failure is not %s with %q:\n%s", stage, says, checks(d)))
		}
	}
	t.Run("the topic may not be written to", func(t *testing.T) {
		topic := newTopic(t, c, 1)
		// With a first rule for a topic, what no rule allows is forbidden.
		seen := kadm.NewACLs().ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpDescribe).Allow(everybody).AllowHosts("*").Topics(topic)
		rule(t, func(ctx context.Context) error {
			if err := a.Deny(ctx, topic, everybody); err != nil {
				return err
			}
			_, err := a.Client().CreateACLs(ctx, seen)
			return err
		}, func(ctx context.Context) error {
			_, err := a.Client().DeleteACLs(ctx, seen)
			return errors.Join(err, a.Allow(ctx, topic, everybody))
		})
		expect(t, settings(c), topic, producer.CheckRights, "TOPIC_AUTHORIZATION_FAILED")
	})
	t.Run("the transactional id may not be used", func(t *testing.T) {
		topic, id := newTopic(t, c, 1), topicName(t)
		rule(t, func(ctx context.Context) error { return a.DenyTransactionalID(ctx, id, everybody) }, func(ctx context.Context) error { return a.AllowTransactionalID(ctx, id, everybody) })
		expect(t, settings(c, func(cfg *producer.Config) { cfg.TransactionalID = id }), topic, producer.CheckTransactions, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED")
	})
	t.Run("a transaction may last too long", func(t *testing.T) {
		cfg := settings(c, func(cfg *producer.Config) { cfg.TransactionalID, cfg.TransactionTimeout = topicName(t), 100*time.Hour })
		expect(t, cfg, newTopic(t, c, 1), producer.CheckTransactions, "transaction.timeout.ms is 360000000")
	})
	t.Run("batches are too large", func(t *testing.T) {
		expect(t, settings(c), newTopic(t, c, 1, "max.message.bytes", "1000"), producer.CheckSettings, "max.message.bytes is 1000")
	})
}
