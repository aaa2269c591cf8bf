package transactions_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// A book notes each transaction that a test writes to some topics, and what it was told of its end.
type book struct {
	site    *site
	topics  []string // records go to them in turn
	padding string   // after what a value says, to make records larger
	entries []*entry // by number
}

// An entry is one transaction.
type entry struct {
	book    *book
	number  int
	size    int // how many records are sent in it
	sent    int // how many have been
	futures []producer.Future
	outcome producer.TransactionOutcome // what its end was said to be
}

func newBook(t *testing.T, s *site, topics int) *book {
	t.Helper()
	return &book{site: s, topics: s.topics(t, topics)}
}

// open makes the entry of a transaction that is to have size records.
func (b *book) open(size int) *entry {
	e := &entry{book: b, number: len(b.entries), size: size}
	b.entries = append(b.entries, e)
	return e
}

// keysOfBook is how many keys records have, each in one partition of each topic.
const keysOfBook = 7

// value says what is needed to tell whether a transaction is whole.
func value(number, index, size int) string { return fmt.Sprintf("%d/%d/%d", number, index, size) }

// next is the entry's next record.
func (e *entry) next() producer.Record {
	b, i := e.book, e.sent
	e.sent++
	return producer.Record{
		Topic: b.topics[i%len(b.topics)],
		Key:   fmt.Append(nil, "key ", i/len(b.topics)%keysOfBook),
		Value: []byte(value(e.number, i, e.size) + " " + b.padding),
	}
}

// A sender is a Producer or a Tx.
type sender interface {
	Send(ctx context.Context, rec producer.Record) producer.Future
}

// send sends n records of the entry, without waiting for any.
func (e *entry) send(ctx context.Context, to sender, n int) {
	for range n {
		e.futures = append(e.futures, to.Send(ctx, e.next()))
	}
}

// written demands that every record sent so far was acknowledged.
func (e *entry) written(t *testing.T) {
	t.Helper()
	for i, future := range e.futures {
		if _, err := future.Wait(soon(t)); err != nil {
			t.Fatalf("transaction %d: record %d: %v", e.number, i, err)
		}
	}
}

// errors is what its records failed with, those that have not.
func (e *entry) errors(t *testing.T) (failed []error) {
	t.Helper()
	for _, future := range e.futures {
		if _, err := future.Wait(soon(t)); err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}

// write runs a whole transaction, and demands that it ends as it was asked to.
func (b *book) write(t *testing.T, p *producer.Producer, size int, commit bool) *entry {
	t.Helper()
	ctx, e := soon(t), b.open(size)
	do(t, p.BeginTransaction(ctx))
	e.send(ctx, p, size)
	if commit {
		do(t, p.CommitTransaction(ctx))
		e.written(t)
		e.outcome = producer.OutcomeCommitted
		return e
	}
	do(t, p.Flush(ctx))
	e.written(t)
	do(t, p.AbortTransaction(ctx))
	e.outcome = producer.OutcomeAborted
	return e
}

// settle waits until no transaction is open in the book's topics: the markers come a moment after a commit or an abort
// has returned, and what comes after a marker that is lacking is not visible either.
func (b *book) settle(t *testing.T) {
	t.Helper()
	admin := b.site.admin
	await(t, func(ctx context.Context) (lacking string) {
		ends, err := admin.Ends(ctx, b.topics...)
		do(t, err)
		stable, err := admin.CommittedEnds(ctx, b.topics...)
		do(t, err)
		ends.Each(func(end kadm.ListedOffset) {
			if at, _ := stable.Lookup(end.Topic, end.Partition); at.Offset < end.Offset {
				lacking = fmt.Sprintf("a transaction is open in %s-%d, from offset %d; the end is %d", end.Topic, end.Partition, at.Offset, end.Offset)
			}
		})
		return lacking
	})
}

// read is what the book's topics hold, partition by partition.
func (b *book) read(t *testing.T, o reader.Options) (partitions [][]*reader.Record) {
	t.Helper()
	for _, topic := range b.topics {
		records, err := reader.Topic(soon(t), b.site.cluster.Bootstrap(), topic, o)
		do(t, err)
		for _, partition := range records {
			partitions = append(partitions, partition)
		}
	}
	return partitions
}

// check demands that what is visible is what was said of each transaction, once none is open. It returns it.
func (b *book) check(t *testing.T) [][]*reader.Record {
	t.Helper()
	b.settle(t)
	return b.checkNow(t)
}

// checkNow is check while transactions may be open.
func (b *book) checkNow(t *testing.T) [][]*reader.Record {
	t.Helper()
	visible := b.read(t, reader.Options{Committed: true})
	if wrong := b.compare(visible); len(wrong) > 0 {
		t.Errorf("%d things are wrong with what is visible:\n%s", len(wrong), strings.Join(wrong[:min(10, len(wrong))], "\n"))
	}
	return visible
}

// compare says what is wrong with the visible records of each partition. A transaction that is visible must be whole, and
// is if it was said to be committed; each key's records are in the order of sending.
func (b *book) compare(partitions [][]*reader.Record) (wrong []string) {
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	seen := make([]map[int]bool, len(b.entries)) // by transaction: the records found
	for _, records := range partitions {
		latest := make(map[string][2]int) // by key: transaction and index of the last one
		for _, r := range records {
			var number, index, size int
			if _, err := fmt.Sscanf(string(r.Value), "%d/%d/%d ", &number, &index, &size); err != nil ||
				number < 0 || number >= len(b.entries) || size != b.entries[number].size || index < 0 || index >= size {
				add("%s-%d at %d: %.40q was never sent", r.Topic, r.Partition, r.Offset, r.Value)
				continue
			}
			if seen[number] == nil {
				seen[number] = make(map[int]bool)
			}
			if seen[number][index] {
				add("%s-%d at %d: record %d of transaction %d is there twice", r.Topic, r.Partition, r.Offset, index, number)
			}
			seen[number][index] = true
			key, at := string(r.Key), [2]int{number, index}
			if last, ok := latest[key]; ok && (at[0] < last[0] || at[0] == last[0] && at[1] < last[1]) {
				add("%s-%d at %d: record %d of transaction %d comes after record %d of transaction %d", r.Topic, r.Partition, r.Offset, index, number, last[1], last[0])
			}
			latest[key] = at
		}
	}
	for number, e := range b.entries {
		n := len(seen[number])
		switch {
		case n > 0 && n < e.size:
			add("transaction %d (%v) is torn: %d of its %d records are visible", number, e.outcome, n, e.size)
		case n > 0 && e.outcome != producer.OutcomeCommitted && e.outcome != producer.OutcomeUnknown:
			add("transaction %d (%v) is visible", number, e.outcome)
		case n == 0 && e.size > 0 && e.outcome == producer.OutcomeCommitted:
			add("transaction %d is lost: it was committed, and nothing of it is visible", number)
		}
	}
	return wrong
}

// TestComparisonFindsWhatIsWrong plants each fault that compare is there for.
func TestComparisonFindsWhatIsWrong(t *testing.T) {
	of := func(values ...string) (records []*reader.Record) {
		for i, v := range values {
			records = append(records, &reader.Record{Topic: "t", Key: []byte("k"), Value: []byte(v + " padding"), Offset: int64(i)})
		}
		return records
	}
	b := new(book)
	for _, outcome := range []producer.TransactionOutcome{producer.OutcomeCommitted, producer.OutcomeAborted, producer.OutcomeUnknown, producer.OutcomeOpen} {
		b.open(2).outcome = outcome
	}
	for _, c := range []struct {
		name   string
		values []string
		want   string
	}{
		{"right", []string{"0/0/2", "0/1/2"}, ""},
		{"right, with one that nothing was heard of", []string{"0/0/2", "0/1/2", "2/0/2", "2/1/2"}, ""},
		{"lost", nil, "transaction 0 is lost"},
		{"torn", []string{"0/0/2"}, "transaction 0 (committed) is torn"},
		{"unknown and torn", []string{"0/0/2", "0/1/2", "2/0/2"}, "transaction 2 (unknown) is torn"},
		{"aborted", []string{"0/0/2", "0/1/2", "1/0/2", "1/1/2"}, "transaction 1 (aborted) is visible"},
		{"open", []string{"0/0/2", "0/1/2", "3/0/2", "3/1/2"}, "transaction 3 (open) is visible"},
		{"twice", []string{"0/0/2", "0/1/2", "0/1/2"}, "t-0 at 2: record 1 of transaction 0 is there twice"},
		{"reordered", []string{"0/1/2", "0/0/2"}, "t-0 at 1: record 0 of transaction 0 comes after record 1"},
		{"transactions reordered", []string{"2/0/2", "2/1/2", "0/0/2", "0/1/2"}, "t-0 at 2: record 0 of transaction 0 comes after record 1 of transaction 2"},
		{"invented", []string{"0/0/2", "0/1/2", "9/0/2"}, "t-0 at 2: \"9/0/2 padding\" was never sent"},
	} {
		got := strings.Join(b.compare([][]*reader.Record{of(c.values...)}), "\n")
		if (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: reported %q, want %q", c.name, got, c.want)
		}
	}
}

// epochs is by transaction under which producer ids and epochs its visible records were written.
func (b *book) epochs(t *testing.T, visible [][]*reader.Record) []identity {
	t.Helper()
	found := make([]identity, len(b.entries))
	for _, records := range visible {
		for _, r := range records {
			var number int
			_, err := fmt.Sscanf(string(r.Value), "%d/", &number)
			do(t, err)
			id := identity{r.ProducerID, r.ProducerEpoch, true}
			if found[number].known && found[number] != id {
				t.Fatalf("transaction %d is written under %v and %v", number, found[number], id)
			}
			found[number] = id
		}
	}
	return found
}

// An identity is what a record was written under.
type identity struct {
	id    int64
	epoch int16
	known bool // false for a transaction of which nothing is visible
}

func (i identity) String() string { return fmt.Sprintf("producer id %d, epoch %d", i.id, i.epoch) }
