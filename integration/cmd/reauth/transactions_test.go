package main

import (
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// Short transactions and ones that outlast several sessions are made at the same time, and no promise is broken.
func TestTransactions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newMemory(t)
		s := m.soak()
		results, err := s.transactAll(t.Context(), byPassword(m.ending), 45*time.Second)
		do(t, err)
		short, long := results[0], results[1]
		for _, r := range results {
			holds(t, s.brokenTxn(r))
			if r.found.Read != r.records || r.records == 0 {
				t.Errorf("%s: %d records were read back of %d", r.name, r.found.Read, r.records)
			}
		}
		if short.committed < 100 || short.aborted < 10 || short.commits.n != int64(short.committed) {
			t.Errorf("short ones: %d committed, %d aborted", short.committed, short.aborted)
		}
		if long.committed < 4 || long.sessions < 2 || long.aborted > 0 {
			t.Errorf("long ones: %d committed, %d re-authentications in one", long.committed, long.sessions)
		}
	})
}

// What goes wrong with them is found out, and told.
func TestBrokenTransactions(t *testing.T) {
	for _, c := range []struct {
		name, want string
		plant      func(m *memory)
	}{
		{"aborted records are read", "is of a transaction that was aborted", func(m *memory) { m.showAll = true }},
		{"a record is refused", "transactions not committed", func(m *memory) {
			m.ending.On(brokertest.Produce).Skip(20).Times(1).Do(brokertest.Error(protocol.TopicAuthorizationFailed))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				m := newMemory(t)
				c.plant(m)
				s := m.soak()
				results, err := s.transactAll(t.Context(), byPassword(m.ending), 15*time.Second)
				do(t, err)
				isBroken(t, append(s.brokenTxn(results[0]), s.brokenTxn(results[1])...), c.want)
			})
		})
	}
}
