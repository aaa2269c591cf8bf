package produce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// refuseLong hands a line that is too long for any request to the undelivered ones, without holding all of it. The lines before
// it come first: it waits for their outcomes.
func (j *job) refuseLong(r *reader, s *source) error {
	r.apart()
	j.hasten()
	if !j.undelivered.alone(j.gate.closed) {
		return errStopped
	}
	j.read.Add(1)
	limit := int64(j.maxLine - j.splitter.Longer())
	why := &producer.AdmissionError{Topic: j.record.Topic, Err: &longLineError{&producer.RecordTooLargeError{Limit: limit, Key: "max.request.size"}}}
	return j.undelivered.addLong(s, s.lines+1, why, func(w io.Writer) error {
		_, err := r.long(w)
		return err
	})
}

// hasten ends the linger of what is under way, and the open transaction.
func (j *job) hasten() {
	if j.txns != nil {
		j.txns.lines <- nil
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-j.gate.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	j.producer.Flush(ctx) // alone waits for what it leaves
}

// longLineError says that a line makes a record that is too large. The line was not read completely, so its size is not known.
type longLineError struct{ record *producer.RecordTooLargeError }

func (e *longLineError) Error() string { return tooLarge(e.record) }

func (e *longLineError) Unwrap() error { return e.record }

// keepRest saves the beginning of a line in which reading failed. It is not sent as a record.
func (j *job) keepRest(r *reader, err error) {
	if errors.Is(err, errStopped) || len(r.rest()) == 0 {
		return
	}
	l := r.cut(r.end, 0)
	j.read.Add(1)
	j.undelivered.add(l, cutOff(j.record.Topic, err))
}

// cutOff is the error of a line of which only the beginning was read.
func cutOff(topic string, err error) error {
	if errors.Is(err, errStopped) {
		err = errors.New("reading was stopped inside of the line: this is its beginning")
	} else {
		err = fmt.Errorf("reading failed inside of the line: %w", err)
	}
	return &producer.AdmissionError{Topic: topic, Err: err}
}

// endAtOnce says what a process leaves behind that is ended by a third interrupt. Lines that failed are written, if their file
// takes them at once.
func (j *job) endAtOnce() {
	const patience = time.Second
	written := make(chan struct{})
	go func() {
		j.undelivered.rescue()
		close(written)
	}()
	select {
	case <-written:
		if open := j.read.Load() - j.acknowledged.Load() - j.undelivered.failed(); open > 0 {
			j.env.Say("ended at once: %s had no outcome yet, may be delivered or not, and were not kept", ui.Number(open, "line"))
		}
	case <-time.After(patience):
		j.env.Say("ended at once: of %s that were read and not delivered, some were not kept, as writing hangs",
			ui.Number(j.read.Load()-j.acknowledged.Load(), "line"))
	}
}
