//go:build unix

package faults_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// TestFaultTransform has the example of consume-transform-produce work through a topic while everything about it fails, the
// program itself above all, and demands that the output holds each input exactly once.
//
// The input comes in shares, one for each fault, which strikes when a quarter of the share is done; how far the group has
// got paces all of it, and no clock. What the program has said is printed if it fails.
func TestFaultTransform(t *testing.T) {
	began := time.Now()
	c := kafka.New(t, kafka.Options{Brokers: 3, Config: map[string]string{"min.insync.replicas": "2"}})
	const records = 100_000
	x := newTransformation(t, c)
	faults := []struct {
		name string
		do   func(*transformation)
	}{
		{"the program killed", (*transformation).killProgram},
		{"the broker of its transactions killed", (*transformation).killCoordinator},
		{"both at once", (*transformation).killBoth},
		{"coordinators moved", (*transformation).moveCoordinators},
		{"the broker of its group shut down", (*transformation).stopGroupCoordinator},
		{"a second instance", (*transformation).addInstance},
		{"removed from the group", (*transformation).removeFromGroup},
		{"both instances killed", (*transformation).killInstances},
		{"a run that comes back from the dead", (*transformation).comeBack},
		{"killed as the output's leaders move", (*transformation).killAndMoveLeaders},
		{"an instance less", (*transformation).dropInstance},
	}
	for i, fault := range faults {
		share := time.Now()
		x.release(records*(i+1)/len(faults) - records*i/len(faults))
		x.await(x.begun + (x.released-x.begun)/4)
		struck := x.committed()
		fault.do(x)
		x.await(x.released)
		t.Logf("%5.1f s: %s, at %d of %d, done in %.1f s", time.Since(began).Seconds(), fault.name, struck, x.released, time.Since(share).Seconds())
	}
	x.finish()
}

// transformation is a site whose topic is the input, and what works on it.
type transformation struct {
	*site
	to, group string
	source    *producer.Producer
	program   *program
	a, b      *running // the instances; b is nil while there is one only

	begun, released int           // records in the input before the present share, and with it
	watch           *reader.Admin // asks how far the group has got
	trouble         error         // why it could not say, last
}

const keysOfInput = 200

func newTransformation(t *testing.T, c *kafka.Cluster) *transformation {
	t.Helper()
	s := newSite(t, c, 6, 3, nil)
	x := &transformation{site: s, to: s.topic + "-upper", group: s.topic + "-group"}
	t.Cleanup(func() {
		if x.watch != nil {
			x.watch.Close()
		}
	})
	do(t, s.admin.CreateTopic(t.Context(), x.to, partitionsOfThree, 3, nil))
	var err error
	x.source, err = producer.New(s.config())
	do(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := x.source.Close(ctx); err != nil && !t.Failed() {
			t.Errorf("close the input's producer: %v", err)
		}
	})
	// Should this process be killed, the instances end some time later.
	x.program = buildTransform(t, "--bootstrap", c.Bootstrap(), "--from", x.topic, "--to", x.to, "--group", x.group, "--until-idle", "5m")
	x.a = x.program.start("a")
	return x
}

// release adds n records to the input.
func (x *transformation) release(n int) {
	x.t.Helper()
	x.begun = x.released
	futures := make([]producer.Future, 0, n)
	for range n {
		key := fmt.Sprintf("key%d", x.released%keysOfInput)
		value := fmt.Sprintf("%s/%d in lower case, with a few more bytes that a record may as well have", key, x.released/keysOfInput)
		futures = append(futures, x.source.Send(x.t.Context(), producer.Record{Topic: x.topic, Key: []byte(key), Value: []byte(value)}))
		x.released++
	}
	for _, f := range futures {
		_, err := f.Wait(x.t.Context())
		do(x.t, err)
	}
}

// committed is how many records of the input the group has dealt with, -1 if that cannot be said now.
func (x *transformation) committed() int {
	ctx, cancel := context.WithTimeout(x.t.Context(), 5*time.Second)
	defer cancel()
	if x.watch == nil {
		var err error
		x.watch, err = reader.NewAdmin(x.cluster.Bootstrap())
		do(x.t, err)
	}
	offsets, err := x.watch.Client().FetchOffsets(ctx, x.group)
	if x.trouble = errors.Join(err, offsets.Error()); x.trouble != nil {
		// franz-go would go on asking a coordinator that is gone.
		x.watch.Close()
		x.watch = nil
		return -1
	}
	sum := 0
	offsets.Each(func(o kadm.OffsetResponse) { sum += int(max(o.At, 0)) })
	return sum
}

// await waits until the group has dealt with n records.
func (x *transformation) await(n int) {
	x.t.Helper()
	latest := -1
	for limit := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		now := x.committed()
		if now >= n {
			return
		}
		if now > latest { // patience is for a standstill
			latest, limit = now, time.Now().Add(patience)
		}
		if time.Now().After(limit) {
			x.t.Fatalf("the group stands at %d for %s, want %d; %v", latest, patience, n, x.trouble)
		}
		x.program.demandRunning(x.a)
		if x.b != nil {
			x.program.demandRunning(x.b)
		}
	}
}

// progress waits until the group has got a little further.
func (x *transformation) progress() {
	x.t.Helper()
	x.await(min(max(x.committed(), x.begun)+(x.released-x.begun)/8, x.released))
}

// restarted ends an instance at once and starts it again.
func (x *transformation) restarted(r *running) *running {
	x.t.Helper()
	x.program.kill(r)
	return x.program.start(r.id)
}

// heal starts a broker again, and waits until it is a full replica of all that matters.
func (x *transformation) heal(i int) {
	x.t.Helper()
	x.restart(i)
	for _, topic := range []string{x.topic, x.to, "__transaction_state", "__consumer_offsets"} {
		do(x.t, x.admin.AwaitInSync(x.t.Context(), topic, 3))
	}
}

// coordinator is the broker that keeps the transactions of an instance.
func (x *transformation) coordinator(id string) int {
	x.t.Helper()
	found := x.admin.Client().FindTxnCoordinators(x.t.Context(), id)
	do(x.t, found.Error())
	return x.cluster.Index(found[id].NodeID)
}

func (x *transformation) killProgram() { x.a = x.restarted(x.a) }

// killCoordinator kills the program as well, while nobody can tell its next run what has become of the transaction.
func (x *transformation) killCoordinator() {
	i := x.coordinator(x.a.id)
	do(x.t, x.cluster.Kill(i))
	x.a = x.restarted(x.a)
	x.progress()
	x.heal(i)
}

func (x *transformation) killBoth() {
	i := x.busiest(map[int]bool{x.coordinator(x.a.id): true})
	x.program.kill(x.a)
	do(x.t, x.cluster.Kill(i))
	x.a = x.program.start(x.a.id)
	x.progress()
	x.heal(i)
}

func (x *transformation) moveCoordinators() {
	for _, topic := range []string{"__transaction_state", "__consumer_offsets"} {
		do(x.t, x.admin.MoveLeaders(x.t.Context(), topic))
	}
}

func (x *transformation) stopGroupCoordinator() {
	found := x.admin.Client().FindGroupCoordinators(x.t.Context(), x.group)
	do(x.t, found.Error())
	i := x.cluster.Index(found[x.group].NodeID)
	do(x.t, x.cluster.Stop(i))
	x.progress()
	x.heal(i)
}

// addInstance has the two share the partitions from here on, and do so in the middle of transactions.
func (x *transformation) addInstance() {
	x.b = x.program.start("b")
	x.awaitMembers(2)
}

// awaitMembers waits until that many members have partitions.
func (x *transformation) awaitMembers(n int) {
	x.t.Helper()
	if !eventually(x.t, patience, func() bool {
		groups, err := x.admin.Client().DescribeGroups(x.t.Context(), x.group)
		if err != nil || groups.Error() != nil {
			return false
		}
		have := 0
		for _, m := range groups[x.group].Members {
			if assigned, ok := m.Assigned.AsConsumer(); ok && len(assigned.Topics) > 0 {
				have++
			}
		}
		return have == n
	}) {
		x.t.Fatalf("the group has not got %d members at work within %s", n, patience)
	}
}

// removeFromGroup has the group go on without a consumer that does not know: its offsets are refused. At times it learns it
// by a heartbeat first, so that this is done until both have met a refusal, or the share is at its end.
func (x *transformation) removeFromGroup() {
	refused := 0
	for range 3 {
		for _, r := range []*running{x.a, x.b} {
			before := strings.Count(r.said(), "UNKNOWN_MEMBER_ID")
			x.removed(r.id)
			x.progress()
			refused += strings.Count(r.said(), "UNKNOWN_MEMBER_ID") - before
		}
		x.awaitMembers(2)
		if refused > 1 {
			return
		}
	}
	if refused == 0 {
		x.t.Errorf("no offsets were refused of a consumer that was removed from its group: the fault was not felt")
	}
}

func (x *transformation) removed(id string) {
	x.t.Helper()
	answers, err := x.admin.Client().LeaveGroup(x.t.Context(), kadm.LeaveGroup(x.group).InstanceIDs(id))
	if err = errors.Join(err, answers.Error()); !errors.Is(err, kerr.UnknownMemberID) { // it may have left by itself
		do(x.t, err)
	}
}

func (x *transformation) killInstances() {
	x.program.kill(x.a)
	x.b = x.restarted(x.b)
	x.a = x.program.start(x.a.id)
}

// comeBack freezes the program in the middle of a transaction, and has another run take its place. The first goes on where
// it was, as a virtual machine does that was moved, and may do nothing more.
func (x *transformation) comeBack() {
	old := x.a
	x.program.freeze(old)
	x.a = x.program.start(old.id)
	x.progress()
	x.program.thaw(old)
	x.program.demandEnd(old, 1, `another process runs as "a"`)
}

func (x *transformation) killAndMoveLeaders() {
	do(x.t, x.admin.MoveLeaders(x.t.Context(), x.to))
	x.a = x.restarted(x.a)
	do(x.t, x.admin.MoveLeaders(x.t.Context(), x.topic))
	x.b = x.restarted(x.b)
}

// dropInstance ends the second instance for good; its partitions go to the first.
func (x *transformation) dropInstance() {
	x.program.interrupt(x.b)
	x.removed(x.b.id)
	x.b = nil
}

// finish ends the program, and compares.
func (x *transformation) finish() {
	t := x.t
	t.Helper()
	x.program.interrupt(x.a)
	// There is nothing left for a run that comes later, and it says so.
	x.program.demandEnd(x.program.start("a", "--until-idle", "1s"), 0, "")

	read := func(topic string, committed bool) (log map[int32][]*reader.Record, n int) {
		log, err := reader.Topic(t.Context(), x.cluster.Bootstrap(), topic, reader.Options{Committed: committed})
		do(t, err)
		for _, records := range log {
			n += len(records)
		}
		return log, n
	}
	in, released := read(x.topic, false)
	out, n := read(x.to, true)
	_, written := read(x.to, false)
	t.Logf("%d records in, %d out, %d more in transactions that were aborted; %d runs of the program", released, n, written-n, len(x.program.runs))
	if released != x.released {
		t.Errorf("the input holds %d records, want %d", released, x.released)
	}
	if wrong := transformed(in, out); wrong != "" {
		t.Errorf("of %d records, %d are in the output:\n%s", released, n, wrong)
	}
	if written == n {
		t.Errorf("no transaction was aborted with records in it: the faults were not felt")
	}
}
