package brokertest

import (
	"strings"
	"testing"
)

// Verify says what no client may do in a transaction, once a partition that has lost its memory lets it happen, and that
// something was committed twice. What was aborted and written again is in order.
func TestVerifyKnowsTransactions(t *testing.T) {
	unique := func(r Record) string { return string(r.Value) }
	c := New(t, InMemory(), Topic("t", 1))
	k := transact(t, c, 1, "tx")
	for _, commit := range []bool{false, true} {
		k.must("Produce", k.write(13, "t", 0, "once"))
		k.must("EndTxn", k.end(5, commit))
	}
	k.must("Produce", k.write(13, "t", 0, "once"))
	if err := c.Verify(unique); err != nil {
		t.Errorf("an aborted record written again, and again in an open transaction: %v, want nothing", err)
	}
	k.must("EndTxn", k.end(5, true))
	wantComplaint(t, c, unique, `record "once" was written before`)

	k.must("Produce", k.write(13, "t", 0, "a"))
	if err := c.DropProducerState("t", 0); err != nil {
		t.Fatal(err)
	}
	plain := batch{pid: k.producer.id, epoch: k.epoch, sequence: 1, values: []string{"b"}}
	wantOffset(t, k.produce(c, "t", plain), 7)
	wantComplaint(t, c, nil, "writes outside of its open transaction")

	if err := c.DropProducerState("t", 0); err != nil {
		t.Fatal(err)
	}
	wantOffset(t, k.produce(c, "t", batch{pid: k.producer.id, epoch: k.epoch + 1, values: []string{"c"}}), 8)
	wantComplaint(t, c, nil, "in a transaction of epoch")
}

func wantComplaint(t *testing.T, c *Cluster, unique func(Record) string, want string) {
	t.Helper()
	if err := c.Verify(unique); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Verify says %v, want it to say %q", err, want)
	}
}
