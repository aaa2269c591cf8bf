package producertest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
)

// A judge is a test that notes its failures.
type judge struct{ failures []string }

func (j *judge) Helper()        {}
func (j *judge) Cleanup(func()) {}
func (j *judge) Errorf(format string, args ...any) {
	j.failures = append(j.failures, fmt.Sprintf(format, args...))
}
func (j *judge) Fatalf(format string, args ...any) { j.Errorf(format, args...) }

// failed runs an expectation, and returns what it fails with.
func failed(f func(t producertest.TB)) string {
	j := &judge{}
	f(j)
	return strings.Join(j.failures, "\n")
}

func sentTwo(t *testing.T) *producertest.Producer {
	t.Helper()
	p := producertest.New(t, producertest.Topic("orders", 3))
	for _, rec := range []producer.Record{
		{Topic: "orders", Key: []byte("customer-7"), Value: []byte(`{"n": 1, "of": "a"}`), Headers: []producer.Header{{Key: "trace", Value: []byte("t1")}}},
		{Topic: "orders", Key: []byte("customer-8")},
	} {
		if _, err := p.SendSync(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestExpectationsThatAreMet(t *testing.T) {
	p := sentTwo(t)
	p.Expect(t, "orders",
		producertest.Key("customer-7").JSON(`{"of":"a","n":1}`).Header("trace", "t1").NoHeader("span").Partition(1).Offset(0),
		producertest.Key("customer-8").NoValue().Where("no headers", func(s producertest.Sent) bool { return len(s.Record.Headers) == 0 }),
	)
	p.Expect(t, "audit")
	p.ExpectAmong(t, "orders", producertest.Key("customer-8"))
	p.ExpectAmong(t, "orders")
	p.ExpectNone(t, "audit", "invoices")
}

// A failure says what is expected, what came in its place, and all that was sent.
func TestExpectationsThatAreNotMet(t *testing.T) {
	p := sentTwo(t)
	p.FailNth(1, producertest.MayBeWritten(producer.ErrDeliveryTimeout))
	p.Send(t.Context(), producer.Record{Topic: "orders", Value: []byte("3")})
	const all = "\nwhat was sent:" +
		"\n\tkey \"customer-7\", value \"{\\\"n\\\": 1, \\\"of\\\": \\\"a\\\"}\", header \"trace\" = \"t1\", partition 1, offset 0" +
		"\n\tkey \"customer-8\", no value, partition 2, offset 0" +
		"\n\tno key, value \"3\", partition 0, failed, sending to orders-0: delivery.timeout passed (1 attempt, 0s; it may be in the log all the same)"
	a, b := producertest.Key("customer-7"), producertest.Key("customer-8")
	for _, c := range []struct {
		got, want string
	}{
		{failed(func(t producertest.TB) { p.Expect(t, "orders", a.Value("1").Partition(1), b) }),
			`topic orders, record 1 of 2: got key "customer-7", value "{\"n\": 1, \"of\": \"a\"}", header "trace" = "t1", partition 1, offset 0, want value "1"` + all},
		{failed(func(t producertest.TB) { p.Expect(t, "orders", a) }),
			`topic orders has 2 records, want 1: the first beyond that is key "customer-8", no value, partition 2, offset 0` + all},
		{failed(func(t producertest.TB) { p.Expect(t, "orders", a, b, producertest.Value("3").NoKey()) }),
			`topic orders has 2 records, want 3: the first that is missing is one with value "3", no key` + all},
		{failed(func(t producertest.TB) { p.ExpectAmong(t, "orders", b, a) }),
			`topic orders has no record with key "customer-7" behind one with key "customer-8"` + all},
		{failed(func(t producertest.TB) { p.ExpectNone(t, "orders") }),
			`consumers see 2 records, want none: the first is in topic orders, with key "customer-7", value "{\"n\": 1, \"of\": \"a\"}", header "trace" = "t1", partition 1, offset 0` + all},
		{failed(func(t producertest.TB) { p.Expect(t, "audit", producertest.AnyRecord()) }),
			"topic audit has 0 records, want 1: the first that is missing is one with any record\nnothing was sent to it; other topics have records: orders"},
	} {
		if got := sameTime(c.got); got != c.want {
			t.Errorf("the failure is\n%s\nwant\n%s", got, c.want)
		}
	}
}

// sameTime puts 0s in the place of what a record took.
func sameTime(text string) string {
	before, rest, found := strings.Cut(text, "(1 attempt, ")
	if !found {
		return text
	}
	_, after, _ := strings.Cut(rest, ";")
	return before + "(1 attempt, 0s;" + after
}

// What waits, and what is not committed, a failure says as well.
func TestAFailureTellsWhatIsNotSeenYet(t *testing.T) {
	p := producertest.New(t, producertest.Manual(), producertest.Transactional("tx"))
	for _, err := range []error{p.InitTransactions(t.Context()), p.BeginTransaction(t.Context())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p.Send(t.Context(), one("a"))
	p.Send(t.Context(), one("b"))
	p.CompleteNext()
	got := failed(func(t producertest.TB) { p.Expect(t, "one", producertest.Value("a"), producertest.Value("b")) })
	for _, want := range []string{"offset 0, uncommitted", "partition 0, pending", "CompleteNext"} {
		if !strings.Contains(got, want) {
			t.Errorf("the failure is\n%s\nwant %q in it", got, want)
		}
	}
}

func TestExpectOffsets(t *testing.T) {
	p := producertest.New(t, producertest.Transactional("tx"))
	tp := producer.TopicPartition{Topic: "in", Partition: 1}
	send := func(end error) {
		_ = p.Transact(t.Context(), func(tx *producer.Tx) error {
			if err := tx.SendOffsets(t.Context(), producertest.Offsets{tp: {Offset: 7, Metadata: "m"}}, producer.ConsumerGroupMetadata{GroupID: "g"}); err != nil {
				t.Error(err)
			}
			if o := p.PendingOffsets("g")[tp]; o.Offset != 7 {
				t.Errorf("the open transaction has offset %d", o.Offset)
			}
			return end
		})
	}
	send(errOwn)
	p.ExpectOffsets(t, "g", nil)
	if got := failed(func(t producertest.TB) { p.ExpectOffsets(t, "g", producertest.Offsets{tp: {Offset: 7}}) }); !strings.Contains(got, "no offset of in-1, want 7") {
		t.Errorf("the failure is %s", got)
	}
	send(nil)
	p.ExpectOffsets(t, "g", producertest.Offsets{tp: {Offset: 7}})
	if got := failed(func(t producertest.TB) { p.ExpectOffsets(t, "g", producertest.Offsets{tp: {Offset: 8}}) }); !strings.Contains(got, "want {Offset:8") {
		t.Errorf("the failure is %s", got)
	}
	if got := failed(func(t producertest.TB) { p.ExpectOffsets(t, "g", nil) }); !strings.Contains(got, "offset 7 of in-1, want none") {
		t.Errorf("the failure is %s", got)
	}
}

// New ends a test whose options cannot be.
func TestNewEndsTheTest(t *testing.T) {
	if got := failed(func(t producertest.TB) { producertest.New(t, producertest.Topic("a", 0)) }); !strings.HasPrefix(got, "producertest: Topic(\"a\", 0)") {
		t.Errorf("the failure is %s", got)
	}
}
