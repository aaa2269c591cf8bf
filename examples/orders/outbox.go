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

// An Outbox is where events wait until Kafka has them.
type Outbox struct {
	DB       *sql.DB
	Producer producer.Transactor
	Topic    string
	Log      *slog.Logger

	wake chan struct{} // has a token when there may be something to send
}

// NewOutbox makes the table of an outbox if it is not there.
func NewOutbox(ctx context.Context, db *sql.DB, p producer.Transactor, topic string, log *slog.Logger) (*Outbox, error) {
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

// SendPage sends the oldest events, and returns how many. They are in Kafka all or none when it returns an error: it is safe to
// call it again.
func (o *Outbox) SendPage(ctx context.Context) (int, error) {
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
	if err != nil {
		return 0, err
	}
	// From here until the events are deleted a crash has them sent again.
	_, err = o.DB.ExecContext(context.WithoutCancel(ctx), `DELETE FROM outbox WHERE id <= ?`, last)
	return len(events), err
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
