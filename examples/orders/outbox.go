package orders

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// A Relay is what an outbox needs of a producer.
type Relay interface {
	producer.Transactor
	producer.StepTransactor
}

// An Outbox is where events wait until Kafka has them.
type Outbox struct {
	DB       *sql.DB
	Producer Relay
	Topic    string
	Log      *slog.Logger

	wake chan struct{} // has a token when there may be something to send
	open *sent         // a page whose commit was not answered; nil: none. It belongs to who calls SendPage
}

// NewOutbox makes the table of an outbox if it is not there.
func NewOutbox(ctx context.Context, db *sql.DB, p Relay, topic string, log *slog.Logger) (*Outbox, error) {
	_, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL, value BLOB NOT NULL)`)
	return &Outbox{DB: db, Producer: p, Topic: topic, Log: log, wake: make(chan struct{}, 1)}, err
}

// Add writes an event in a transaction of the database. Call Wake when that is committed.
func (o *Outbox) Add(ctx context.Context, tx *sql.Tx, key string, value []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO outbox (key, value) VALUES (?, ?)`, []byte(key), value)
	return err
}

// Wake has the relay look at once.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default: // it will look anyhow
	}
}

const (
	page  = 500             // events of a transaction
	pause = time.Second     // after a failure
	idle  = 5 * time.Second // it looks that often when nobody wakes it: another process may have written
)

// Run sends events until ctx ends, or until another process has taken the relay over: then it returns producer.ErrFenced.
func (o *Outbox) Run(ctx context.Context) error {
	for {
		n, err := o.SendPage(ctx)
		wait := idle
		switch {
		case errors.Is(err, producer.ErrFenced):
			return err
		case ctx.Err() != nil:
			return nil
		case err != nil:
			o.Log.Warn("events wait in the outbox", "err", err)
			wait = pause
		case n == page:
			continue // there is more
		}
		select {
		case <-ctx.Done():
			return nil
		case <-o.wake:
		case <-time.After(wait):
		}
	}
}

// sent is a page of events that a transaction has.
type sent struct {
	events int
	last   int64 // the id of the last of them
}

// SendPage sends the oldest events, and returns how many. When it returns an error, call it again: what is in Kafka, or may be,
// is not sent a second time. It must not be called from several goroutines at once.
func (o *Outbox) SendPage(ctx context.Context) (int, error) {
	if o.open != nil {
		return o.settle(ctx, *o.open, o.commitAgain(ctx))
	}
	events, last, err := o.oldest(ctx)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	err = o.Producer.Transact(ctx, func(tx *producer.Tx) error {
		for _, e := range events {
			tx.Send(ctx, e) // the commit fails if this does
		}
		return nil
	})
	return o.settle(ctx, sent{len(events), last}, err)
}

// commitAgain asks for a commit that was not answered. Until it is known what has become of that, nothing may be sent.
func (o *Outbox) commitAgain(ctx context.Context) error {
	err := o.Producer.CommitTransaction(ctx)
	if failed, ok := errors.AsType[*producer.TransactionError](err); ok && failed.Next == producer.NextAbort && failed.Outcome != producer.OutcomeAborted {
		err = errors.Join(o.Producer.AbortTransaction(ctx), err)
	}
	return err
}

// settle deletes the events of a page that is committed.
func (o *Outbox) settle(ctx context.Context, page sent, err error) (int, error) {
	o.open = nil
	if failed, ok := errors.AsType[*producer.TransactionError](err); ok {
		switch {
		case failed.Outcome == producer.OutcomeUnknown && failed.Next == producer.NextRetryCall:
			o.open = &page
		case failed.Outcome == producer.OutcomeCommitted:
			err = nil // it is only the next transaction that cannot be begun
		}
	}
	if err != nil {
		return 0, err
	}
	// From here until the events are deleted a crash has them sent again. SQLite has one writer at a time, so that there is no
	// event with a lower id which is yet to come.
	_, err = o.DB.ExecContext(context.WithoutCancel(ctx), `DELETE FROM outbox WHERE id <= ?`, page.last)
	return page.events, err
}

// oldest reads events, in the order in which they were written. Last is the id of the last of them.
func (o *Outbox) oldest(ctx context.Context) (events []producer.Record, last int64, err error) {
	rows, err := o.DB.QueryContext(ctx, `SELECT id, key, value FROM outbox ORDER BY id LIMIT ?`, page)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		e := producer.Record{Topic: o.Topic}
		if err := rows.Scan(&last, &e.Key, &e.Value); err != nil {
			return nil, 0, err
		}
		e.Headers = []producer.Header{{Key: "event-id", Value: strconv.AppendInt(nil, last, 10)}}
		events = append(events, e)
	}
	return events, last, rows.Err()
}

// Waiting returns how many events wait.
func (o *Outbox) Waiting(ctx context.Context) (n int, err error) {
	err = o.DB.QueryRowContext(ctx, `SELECT count(*) FROM outbox`).Scan(&n)
	return n, err
}
