package app

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// committed is what a read_committed consumer reads of the only partition of a topic.
func committed(c *brokertest.Cluster, topic string) (values []string) {
	for _, r := range c.Committed(topic, 0) {
		values = append(values, string(r.Value))
	}
	return values
}

// markers counts the commits and the aborts in the only partition of a topic.
func markers(c *brokertest.Cluster, topic string) (commits, aborts int) {
	for _, b := range c.Batches(topic, 0) {
		if !b.Header.Control {
			continue
		}
		if commit, _ := b.Marker(); commit {
			commits++
		} else {
			aborts++
		}
	}
	return commits, aborts
}

// numbered are so many lines, "line 1" first.
func numbered(from, to int) []string {
	var lines []string
	for i := from; i <= to; i++ {
		lines = append(lines, fmt.Sprintf("line %d", i))
	}
	return lines
}

func text(lines []string) string { return strings.Join(lines, "\n") + "\n" }

// The input goes out in transactions of so many lines, and the last one has the rest.
func TestLinesAreSentInTransactions(t *testing.T) {
	for name, opts := range map[string][]brokertest.Option{"new protocol": nil, "old protocol": {brokertest.Kafka3_9()}} {
		t.Run(name, func(t *testing.T) {
			c, b := brokers(t, append(opts, brokertest.Topic("t", 1))...)
			lines := numbered(1, 25)
			s := epistle(t, 0, "", "produce", "-b", b, "-t", "t", "--transactional-id", "x", "--transaction-size", "10",
				file(t, text(lines[:12])), file(t, text(lines[12:])))
			s.wantErr("25 lines read, 25 committed in 3 transactions, 0 failed")
			if got := committed(c, "t"); !slices.Equal(got, lines) {
				t.Errorf("committed = %q, want all lines in order", got)
			}
			if commits, aborts := markers(c, "t"); commits != 3 || aborts != 0 {
				t.Errorf("%d commits, %d aborts, want 3 and 0", commits, aborts)
			}
			epistle(t, 0, "", "produce", "-b", b, "-t", "t", "-X", "transactional.id=x").wantErr("0 lines read, 0 committed in 0 transactions")
		})
	}
}

// A line that cannot be delivered takes its transaction along, and none before or after it.
func TestLinesOfAnAbortedTransactionAreKept(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	// The second transaction's batch.
	c.On(brokertest.Produce).Skip(1).Do(brokertest.Error(protocol.TopicAuthorizationFailed))
	failed := t.TempDir() + "/failed.txt"
	s := epistle(t, 1, text(numbered(1, 25)), "produce", "-b", b, "-t", "t", "--transactional-id", "x", "--transaction-size", "10",
		"--failed-to", failed, "-X", "linger.ms=60000", "-X", "delivery.timeout.ms=120000")
	s.wantErr("25 lines read, 15 committed in 2 transactions, 10 failed", "10 lines not delivered: its transaction was not committed: TOPIC_AUTHORIZATION_FAILED")
	if got, want := committed(c, "t"), append(numbered(1, 10), numbered(21, 25)...); !slices.Equal(got, want) {
		t.Errorf("committed = %q, want %q", got, want)
	}
	if got, want := read(t, failed), text(numbered(11, 20)); got != want {
		t.Errorf("undelivered = %q, want %q", got, want)
	}
	if got := explained(t, read(t, failed+".reasons"), "not-committed"); got != 10 {
		t.Errorf("%d lines are marked as not-committed, want 10:\n%s", got, read(t, failed+".reasons"))
	}
}

// Without --failed-to they go to standard error, each with its reason.
func TestLinesOfAnAbortedTransactionGoToStandardError(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	c.On(brokertest.Produce).Do(brokertest.Error(protocol.TopicAuthorizationFailed))
	s := epistle(t, 1, "one\ntwo\n", "produce", "-b", b, "-t", "t", "--transactional-id", "x")
	s.wantErr("epistle: standard input:1 was not delivered: its transaction was not committed: ", "\none\n", "standard input:2", "\ntwo\n", "0 committed in 0 transactions, 2 failed")
}

// The answer to a commit may be lost: it is asked for again, and nothing is reported that was committed.
func TestACommitWhoseAnswerIsLost(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	c.On(brokertest.EndTxn).Times(2).Do(brokertest.HandleThenDrop())
	s := epistle(t, 0, text(numbered(1, 25)), "produce", "-b", b, "-t", "t", "--transactional-id", "x", "--transaction-size", "10")
	s.wantErr("25 lines read, 25 committed in 3 transactions, 0 failed")
	if got := committed(c, "t"); !slices.Equal(got, numbered(1, 25)) {
		t.Errorf("committed = %q, want all lines once", got)
	}
}

// The call returns before the coordinator has answered, and is repeated: no line is given up for that.
func TestACommitThatIsLate(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	answer := make(chan struct{})
	c.On(brokertest.EndTxn).Do(brokertest.Pass().Held(answer))
	s := start(t, strings.NewReader("one\n"), "produce", "-b", b, "-t", "t", "--transactional-id", "x", "-X", "max.block.ms=2000")
	s.says("still waiting to commit: ")
	close(answer)
	if got := s.wait(); got != 0 {
		t.Errorf("exit status %d, want 0", got)
	}
	s.wantErr("1 line read, 1 committed in 1 transaction, 0 failed")
}

// Nobody ever says what became of the commit: then it is neither one nor the other, and reading stops.
func TestACommitOfUnknownOutcome(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	c.On(brokertest.EndTxn).Skip(1).Always().Do(brokertest.HandleThenSwallow())
	failed := t.TempDir() + "/failed.txt"
	s := epistle(t, 1, text(numbered(1, 25)), "produce", "-b", b, "-t", "t", "--transactional-id", "x", "--transaction-size", "10", "--failed-to", failed,
		"-X", "linger.ms=0", "-X", "request.timeout.ms=800", "-X", "delivery.timeout.ms=1500", "-X", "max.block.ms=1500")
	s.wantErr("10 committed in 1 transaction", "10 of them may be committed all the same", "no more transactions", "of standard input, ")
	reasons := read(t, failed+".reasons")
	if got := explained(t, reasons, "may-be-committed"); got != 10 {
		t.Errorf("%d lines are marked as may-be-committed, want 10:\n%s", got, reasons)
	}
	if strings.Contains(reasons, "\tmay-be-written\t") || strings.Contains(reasons, "\tnot-committed\t") {
		t.Errorf("lines that were never sent are not marked as not-written:\n%s", reasons)
	}
	if got := read(t, failed); !strings.HasPrefix(got, text(numbered(11, 20))) || strings.Contains(got, "line 10\n") {
		t.Errorf("undelivered = %q, want line 11 and on", got)
	}
}

// Another sender with the same id takes over: what is committed stays so, the rest is handed back, and reading stops.
func TestAFencedProducerStops(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	stdin, typing := io.Pipe()
	defer typing.Close()
	failed := t.TempDir() + "/failed.txt"
	s := start(t, stdin, "produce", "-b", b, "-t", "t", "--transactional-id", "x", "--transaction-size", "2", "--failed-to", failed)
	io.WriteString(typing, "one\ntwo\n")
	eventually(t, "the first transaction", func() bool { return len(committed(c, "t")) == 2 })

	other, err := producer.New(producer.ExactlyOnce("x", c.Bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(t.Context())
	if err := other.InitTransactions(t.Context()); err != nil {
		t.Fatal(err)
	}
	io.WriteString(typing, "three\nfour\n")
	if got := s.wait(); got != 1 {
		t.Errorf("exit status %d, want 1", got)
	}
	s.wantErr("no more transactions: ", "the producer is fenced", "2 committed in 1 transaction, 2 failed", "of standard input, 4 lines read")
	if got := read(t, failed); got != "three\nfour\n" {
		t.Errorf("undelivered = %q, want three and four", got)
	}
	if got := committed(c, "t"); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("committed = %q, want one and two", got)
	}
}

// Ctrl-C while somebody types: the lines so far are committed.
func TestInterruptCommits(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	stdin, typing := io.Pipe()
	defer typing.Close()
	s := start(t, stdin, "produce", "-b", b, "-t", "t", "--transactional-id", "x")
	io.WriteString(typing, "one\ntwo\nbeg")
	io.WriteString(typing, "un")
	s.interrupt()
	if got := s.wait(); got != 130 {
		t.Errorf("exit status %d, want 130", got)
	}
	s.wantErr("stopped reading; waiting", "2 lines read, 2 committed in 1 transaction, 0 failed", "of standard input, 2 lines read")
	if got := committed(c, "t"); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("committed = %q, want one and two", got)
	}
}

// A second Ctrl-C gives up what is open. Nothing was asked to be committed, so nothing is.
func TestSecondInterruptGivesUpATransaction(t *testing.T) {
	for name, test := range map[string]struct {
		api  int16
		fate string
	}{
		"before the commit": {brokertest.Produce, "not-committed"},
		"during the commit": {brokertest.EndTxn, "may-be-committed"},
	} {
		t.Run(name, func(t *testing.T) {
			c, b := brokers(t, brokertest.Topic("t", 1))
			c.On(test.api).Always().Do(brokertest.Swallow())
			failed := t.TempDir() + "/failed.txt"
			s := start(t, strings.NewReader("one\ntwo\n"), "produce", "-b", b, "-t", "t", "--transactional-id", "x", "--failed-to", failed)
			eventually(t, "it is stuck", func() bool { return c.Count(test.api) > 0 })
			s.givesUp()
			if got := read(t, failed); got != "one\ntwo\n" {
				t.Errorf("undelivered = %q, want both lines", got)
			}
			if got := explained(t, read(t, failed+".reasons"), test.fate); got != 2 {
				t.Errorf("%d lines are marked as %s, want 2:\n%s", got, test.fate, read(t, failed+".reasons"))
			}
		})
	}
}

// Input that comes slowly is committed before the cluster would abort it.
func TestSlowInputIsCommittedInTime(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	stdin, typing := io.Pipe()
	s := start(t, stdin, "produce", "-b", b, "-t", "t", "--transactional-id", "x", "-X", "transaction.timeout.ms=2000")
	for n, line := range []string{"one", "two"} {
		io.WriteString(typing, line+"\n")
		eventually(t, line+" is committed", func() bool { return len(committed(c, "t")) == n+1 })
	}
	typing.Close()
	if got := s.wait(); got != 0 {
		t.Errorf("exit status %d, want 0", got)
	}
	s.wantErr("2 lines read, 2 committed in 2 transactions, 0 failed")
}

// A line that is too long to be held is handed back alone. It waits for its turn among the lines that are handed back, so the
// transaction of the lines before it ends early.
func TestALongLineEndsTheOpenTransaction(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	s := epistle(t, 1, "one\n"+strings.Repeat("x", 2_000_000)+"\ntwo\n", "produce", "-b", b, "-t", "t", "--transactional-id", "x", "--failed-to", t.TempDir()+"/failed.txt", "-X", "linger.ms=0")
	s.wantErr("3 lines read, 2 committed in 2 transactions, 1 failed", "1 line not delivered: the record is larger than max.request.size")
	if got := committed(c, "t"); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("committed = %q, want one and two", got)
	}
}

// Lines that no transaction can hold wait for the open one, to have their turn among the lines that are handed back. They are not
// held without a bound: too many of them end the transaction.
func TestManyRefusedLinesEndTheOpenTransaction(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("t", 1))
	input := "one\n" + strings.Repeat(strings.Repeat("x", 600_000)+"\n", 60) + "two\n"
	s := epistle(t, 1, input, "produce", "-b", b, "-t", "t", "--transactional-id", "x", "--failed-to", t.TempDir()+"/failed.txt", "-X", "linger.ms=0", "-X", "buffer.memory=65536")
	s.wantErr("62 lines read, 2 committed in 2 transactions, 60 failed")
}

func TestTransactionsThatCannotBegin(t *testing.T) {
	for _, code := range []protocol.ErrorCode{protocol.TransactionalIDAuthorizationFailed, protocol.UnknownServerError} {
		c, b := brokers(t, brokertest.Topic("t", 1))
		c.On(brokertest.InitProducerID).Always().Do(brokertest.Error(code))
		s := epistle(t, 1, "one\n", "produce", "-b", b, "-t", "t", "--transactional-id", "x")
		s.wantErr(code.Name(), "nothing was read or sent")
		if n := c.Count(brokertest.InitProducerID); n != 1 {
			t.Errorf("%s: it was asked %d times, want once", code.Name(), n)
		}
	}
}
