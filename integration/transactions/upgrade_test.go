package transactions_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
)

// TestTransactionsUpgrade sets the cluster to the old protocol, shows that everything holds in it as well, and raises it
// to the new one, lowers it and raises it again under a producer that notices by itself.
func TestTransactionsUpgrade(t *testing.T) {
	s := newSite(t, kafka.New(t, kafka.Options{}))
	features, err := s.admin.Features(soon(t), transactionVersion)
	do(t, err)
	for id, f := range features {
		if f.Supported < 2 {
			kafka.NotRun(t, fmt.Sprintf("broker %d knows no %s above %d, so there is nothing to upgrade to", id, transactionVersion, f.Supported))
		}
	}
	do(t, s.admin.SetFeature(soon(t), transactionVersion, 1))
	t.Run("before", func(t *testing.T) { everything(t, s) })
	t.Run("under way", func(t *testing.T) { upgrade(t, s) })
}

// upgrade changes the protocol under a running producer, now while a transaction is open, now between any two of many.
// Nothing is lost or torn, and soon transactions are in the new protocol, as the epochs in the log show.
func upgrade(t *testing.T, s *site) {
	b := newBook(t, s, 2)
	p := s.start(t, func(cfg *producer.Config) { cfg.MetadataMaxAge = 50 * time.Millisecond })
	expectProtocol(t, b.recent(t, p, 10), false)
	for n, level := range []int16{2, 1, 2, 1, 2} {
		if n%2 == 0 {
			s.changeWhileOpen(t, b, p, level)
		} else {
			s.changeUnderLoad(t, b, p, level)
		}
		isNew := level == 2
		await(t, func(context.Context) string { // the producer asks for it every 50 ms
			two := b.recent(t, p, 2)
			if risen := two[1] != two[0]; risen != isNew {
				return fmt.Sprintf("%s is %d, and transactions are under %v and %v", transactionVersion, level, two[0], two[1])
			}
			return ""
		})
		expectProtocol(t, b.recent(t, p, 20), isNew)
	}
	b.write(t, p, 10, false)
	b.check(t)
}

// recent commits n transactions, and returns what they are under.
func (b *book) recent(t *testing.T, p *producer.Producer, n int) []identity {
	t.Helper()
	for range n {
		b.write(t, p, 6, true)
	}
	all := b.epochs(t, b.check(t))
	return all[len(all)-n:]
}

func (s *site) changeWhileOpen(t *testing.T, b *book, p *producer.Producer, level int16) {
	t.Helper()
	ctx, e := soon(t), b.open(20)
	do(t, p.BeginTransaction(ctx))
	e.send(ctx, p, 10)
	do(t, p.Flush(ctx))
	do(t, s.admin.SetFeature(ctx, transactionVersion, level))
	e.send(ctx, p, 10)
	do(t, p.CommitTransaction(ctx))
	e.outcome = producer.OutcomeCommitted
}

func (s *site) changeUnderLoad(t *testing.T, b *book, p *producer.Producer, level int16) {
	t.Helper()
	ctx := soon(t)
	changed := make(chan error, 1)
	go func() { changed <- s.admin.SetFeature(ctx, transactionVersion, level) }() // ends with ctx at the latest
	for n := 0; ; n++ {
		b.write(t, p, 6, n%4 != 3)
		select {
		case err := <-changed:
			do(t, err)
			return
		default:
		}
	}
}
