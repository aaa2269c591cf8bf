package producer_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Two clusters are behind one name, and each answer is the other one's. Each change is followed, with a line in the log, more
// and more slowly. What is acknowledged meanwhile is in the log.
func TestClusterIdsInTurnAreFollowedMoreAndMoreSlowly(t *testing.T) {
	t.Run("brokers that compare the id when a connection is made", func(t *testing.T) {
		bubble(t, func(t *testing.T) { clusterIDsInTurn(t) })
	})
	t.Run("brokers that do not", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			clusterIDsInTurn(t, brokertest.Versions(brokertest.ApiVersions, 0, 4))
		})
	})
}

func clusterIDsInTurn(t *testing.T, opts ...brokertest.Option) {
	c := brokertest.New(t, append(opts, brokertest.InMemory(), brokertest.Topic("t", 1))...)
	j := newJournal()
	p := start(t, c, j.logs)
	send(t, p, record("a"))
	n := 0
	c.On(brokertest.Metadata).Always().Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
		n++
		id := fmt.Sprint("cluster", n%2)
		resp.(*protocol.MetadataResponse).ClusterID = &id
	}))
	c.CutConnections(1, true)
	var got outcomes
	sendAll := func(n int, when string) {
		for i := range n {
			name := fmt.Sprint(when, " ", i)
			p.SendFunc(t.Context(), record(name), got.of(name))
			time.Sleep(time.Second)
		}
	}
	sendAll(10, "early")
	dials, asked, ids := c.Dials(1), c.Count(brokertest.Metadata), c.Count(brokertest.InitProducerID)
	sendAll(60, "late")
	dials, asked, ids = c.Dials(1)-dials, c.Count(brokertest.Metadata)-asked, c.Count(brokertest.InitProducerID)-ids
	if dials > 120 || asked > 20 || ids > 20 {
		t.Errorf("in a minute: %d dials, %d Metadata, %d InitProducerId, want at most 120, 20 and 20", dials, asked, ids)
	}
	if told := len(j.of("the cluster is another one")); told == 0 || told > 20 {
		t.Errorf("the log tells %d times of another cluster, want some lines and not many", told)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var written []string
	for _, rec := range c.Records("t", 0) {
		written = append(written, string(rec.Value))
	}
	for _, o := range got.all() {
		switch in := slices.Contains(written, o.name); {
		case o.err == nil && !in:
			t.Errorf("record %q is acknowledged, and not in the log", o.name)
		case o.err != nil && in && !producer.MayBeWritten(o.err):
			t.Errorf("record %q is in the log, and its error denies that: %v", o.name, o.err)
		}
	}
}

// The cluster's id changes twice within a moment, as when a name is turned over and back: both changes are followed at once.
func TestAClusterIdThatChangesBackIsFollowedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		for i := range 3 {
			began := time.Now()
			send(t, p, record(fmt.Sprint(i)))
			if took := time.Since(began); took > time.Second {
				t.Errorf("record %d took %v", i, took)
			}
			c.MakeAgain(brokertest.Again{})
			time.Sleep(time.Second)
		}
	})
}
