package brokertest

import (
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

func (c *conversation) producerIDs() {
	var ids []int64
	ask := func(title string, version int16, id *string, timeout time.Duration, pid int64, epoch int16) *protocol.InitProducerIDResponse {
		resp := &protocol.InitProducerIDResponse{}
		m := &protocol.InitProducerIDRequest{TransactionalID: id, TransactionTimeout: timeout, ProducerID: pid, ProducerEpoch: epoch}
		// The coordinator's topic is made on the first use, which takes it a moment.
		for range 100 {
			if !c.try(version, m, resp) {
				c.notef("InitProducerId v%d %s: %s", version, title, c.lost)
				return resp
			}
			if e := resp.ErrorCode; e != protocol.CoordinatorNotAvailable && e != protocol.NotCoordinator &&
				e != protocol.CoordinatorLoadInProgress && e != protocol.ConcurrentTransactions {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		seen := false
		for _, known := range ids {
			seen = seen || known == resp.ProducerID
		}
		ids = append(ids, resp.ProducerID)
		c.notef("InitProducerId v%d %s: %s ID %t, seen %t, epoch %d", version, title, resp.ErrorCode.Name(), resp.ProducerID >= 0, seen, resp.ProducerEpoch)
		return resp
	}
	for v := int16(0); v <= 5; v++ {
		ask("idempotent", v, nil, 0, -1, -1)
	}
	ask("idempotent, had ID 1 and epoch 3", 5, nil, 0, 1, 3)
	ask("ID without epoch", 5, nil, 0, 1, -1)
	ask("epoch without ID", 5, nil, 0, -1, 3)
	empty, tx := "", "tx"
	ask("empty transactional ID", 5, &empty, time.Minute, -1, -1)
	c.coordinators(tx)
	ask("timeout 0", 5, &tx, 0, -1, -1)
	ask("timeout an hour", 5, &tx, time.Hour, -1, -1)
	first := ask("transactional", 5, &tx, time.Minute, -1, -1)
	ask("transactional again", 5, &tx, time.Minute, -1, -1)
	second := ask("transactional, with its ID and epoch", 5, &tx, time.Minute, first.ProducerID, 1)
	ask("transactional, with an old epoch", 5, &tx, time.Minute, second.ProducerID, 0)
	ask("transactional, with an old epoch", 3, &tx, time.Minute, second.ProducerID, 0)
	ask("transactional, with another ID", 5, &tx, time.Minute, second.ProducerID+1000, 2)
	c.outsideTransactions(tx, second.ProducerID, second.ProducerEpoch)
}

// outsideTransactions writes transactional batches that belong to no transaction.
func (c *conversation) outsideTransactions(id string, pid int64, epoch int16) {
	for _, v := range []int16{3, 9, 10, 11} {
		for _, who := range []struct {
			title string
			batch batch
		}{
			{"transactional, no transaction", batch{pid: pid, epoch: epoch}},
			{"transactional, old epoch", batch{pid: pid, epoch: epoch - 1}},
			{"transactional, unknown producer", batch{pid: pid + 1000}},
			{"transactional, no producer", batch{pid: -1, epoch: -1, sequence: -1}},
		} {
			b := who.batch
			b.values, b.at, b.change = []string{"a"}, c.then(), func(h *protocol.BatchHeader) { h.Transactional = true }
			m := produceRequestTo("plain", b.bytes(c.t))
			m.TransactionalID = &id
			c.produceRequest(fmt.Sprintf("%s v%d", who.title, v), v, m)
		}
		m := produceRequestTo("offsets", c.plain("a").bytes(c.t))
		m.TransactionalID = &id
		c.produceRequest(fmt.Sprintf("transactional ID, plain batch v%d", v), v, m)
	}
}

func (c *conversation) coordinators(tx string) {
	for _, keyType := range []int8{groupKey, transactionKey} {
		for range 100 {
			resp := &protocol.FindCoordinatorResponse{}
			c.try(3, &protocol.FindCoordinatorRequest{Key: tx, KeyType: keyType}, resp)
			if resp.ErrorCode == protocol.NoError {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		for v := int16(0); v <= 6; v++ {
			c.findCoordinator(v, keyType, tx)
		}
	}
	c.findCoordinator(5, 2, "g:AAAAAAAAAAAAAAAAAAAAAA:0")
	c.findCoordinator(6, 2, "not a key")
	c.findCoordinator(6, 9, tx)
	c.findCoordinator(3, 9, tx)
	c.findCoordinator(6, transactionKey, "")
}

func (c *conversation) findCoordinator(version int16, keyType int8, key string) {
	resp := &protocol.FindCoordinatorResponse{}
	if !c.try(version, &protocol.FindCoordinatorRequest{Key: key, KeyType: keyType, CoordinatorKeys: []string{key}}, resp) {
		c.notef("FindCoordinator v%d type %d: %s", version, keyType, c.lost)
		return
	}
	if version < 4 {
		c.notef("FindCoordinator v%d type %d %q: %s, found %t, host %t: %s", version, keyType, key, resp.ErrorCode.Name(), resp.NodeID >= 0, resp.Host != "", text(resp.ErrorMessage))
	}
	for _, r := range resp.Coordinators {
		c.notef("FindCoordinator v%d type %d %q: %s, found %t, host %t: %s", version, keyType, r.Key, r.ErrorCode.Name(), r.NodeID >= 0, r.Host != "", text(r.ErrorMessage))
	}
}

func (c *conversation) offsets() {
	ask := func(title, topic string, version int16, index, epoch int32, at int64) {
		resp := &protocol.ListOffsetsResponse{}
		m := &protocol.ListOffsetsRequest{ReplicaID: -1, Timeout: 10 * time.Second, Topics: []protocol.ListOffsetsTopic{{
			Name: topic, Partitions: []protocol.ListOffsetsPartition{{PartitionIndex: index, CurrentLeaderEpoch: epoch, Timestamp: at}},
		}}}
		if !c.try(version, m, resp) {
			c.notef("ListOffsets v%d %s: %s", version, title, c.lost)
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				c.notef("ListOffsets v%d %s: %s offset %d time %s epoch %d", version, title, p.ErrorCode.Name(), p.Offset, c.when(p.Timestamp), p.LeaderEpoch)
			}
		}
	}
	ask("max of an empty log", "offsets", 7, 0, -1, maxTimestamp)
	ask("latest of an empty log", "offsets", 7, 0, -1, latest)
	c.produceTo("two", "offsets", 0, 13, -1, c.plain("a", "b").bytes(c.t))
	later := c.plain("c")
	later.at = c.began
	c.produceTo("one later", "offsets", 0, 13, -1, later.bytes(c.t))
	for v := int16(1); v <= 11; v++ {
		ask("latest", "offsets", v, 0, -1, latest)
		ask("earliest", "offsets", v, 0, -1, earliest)
		ask("by time", "offsets", v, 0, -1, c.began.UnixMilli()-1)
		ask("max", "offsets", v, 0, -1, maxTimestamp)
		ask("earliest local", "offsets", v, 0, -1, earliestLocal)
		ask("latest tiered", "offsets", v, 0, -1, latestTiered)
		ask("earliest not yet tiered", "offsets", v, 0, -1, earliestNotYetTiered)
	}
	ask("-7", "offsets", 11, 0, -1, -7)
	ask("too late a time", "offsets", 11, 0, -1, c.began.Add(time.Hour).UnixMilli())
	ask("no such topic", "missing", 11, 0, -1, latest)
	ask("no such partition", "offsets", 11, 5, -1, latest)
	ask("right epoch", "offsets", 11, 0, 0, latest)
	ask("epoch to come", "offsets", 11, 0, 3, latest)
}

func (c *conversation) others() {
	for v := range int16(2) {
		resp := &protocol.SaslHandshakeResponse{}
		ok := c.try(v, &protocol.SaslHandshakeRequest{Mechanism: "PLAIN"}, resp)
		c.notef("SaslHandshake v%d: answered %t %s %v", v, ok, resp.ErrorCode.Name(), resp.Mechanisms)
	}
	for v := range int16(3) {
		resp := &protocol.SaslAuthenticateResponse{}
		ok := c.try(v, &protocol.SaslAuthenticateRequest{AuthBytes: []byte("\x00u\x00p")}, resp)
		c.notef("SaslAuthenticate v%d: answered %t %s %s", v, ok, resp.ErrorCode.Name(), text(resp.ErrorMessage))
	}
	sub := &protocol.GetTelemetrySubscriptionsResponse{}
	ok := c.try(0, &protocol.GetTelemetrySubscriptionsRequest{}, sub)
	c.notef("GetTelemetrySubscriptions: answered %t %s ID %t codecs %v every %v up to %d delta %t wants %q", ok, sub.ErrorCode.Name(),
		sub.ClientInstanceID != protocol.UUID{}, sub.AcceptedCompressionTypes, sub.PushInterval, sub.TelemetryMaxBytes, sub.DeltaTemporality, sub.RequestedMetrics)
	known := sub.ClientInstanceID
	push := &protocol.PushTelemetryResponse{}
	ok = c.try(0, &protocol.PushTelemetryRequest{ClientInstanceID: known, SubscriptionID: sub.SubscriptionID + 1, Metrics: []byte{}}, push)
	c.notef("PushTelemetry, wrong subscription: answered %t %s", ok, push.ErrorCode.Name())

	for _, f := range []struct {
		title string
		frame []byte
	}{
		{"unknown API", rawFrame(999, 0)},
		{"Metadata v99", rawFrame(Metadata, 99, 0)},
		{"Metadata v1 cut short", rawFrame(Metadata, 1, 0, 0)},
		{"frame of 3 bytes", []byte{0, 0, 0, 3, 1, 2, 3}},
		{"negative length", []byte{0xff, 0xff, 0xff, 0xff}},
		{"length of 1 GB", []byte{0x40, 0, 0, 0}},
	} {
		c.notef("%s: answered %t", f.title, c.tryFrame(f.frame, 1, &protocol.MetadataResponse{}))
	}
}
