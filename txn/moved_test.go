package txn

import (
	"errors"
	"testing"

	"github.com/epistle-kafka/epistle/protocol"
)

// A coordinator is silent, and a search names another: what is asked next goes there, also after the request that got no answer
// has ended, and the other roles of the silent one are looked for again. A search that names the same node, or nobody, changes
// nothing.
func TestMovedFromASilentCoordinator(t *testing.T) {
	r := open(t, 2)
	r.coordinators[key{protocol.CoordinatorKeyGroup, "g"}] = 1
	r.coordinators[key{protocol.CoordinatorKeyGroup, "h"}] = 3
	r.call((*Txn).Commit)
	s := r.sent()
	if got := s.Search(); got.Key != "tx" || got.KeyType != protocol.CoordinatorKeyTransaction {
		t.Errorf("the search is for %q, want the transactional id", got.Key)
	}
	for what, resp := range map[string]*protocol.FindCoordinatorResponse{
		"the same node": found(1), "nobody": {ErrorCode: protocol.CoordinatorNotAvailable, NodeID: -1},
	} {
		if r.Moved(s, resp) || len(r.coordinators) != 3 {
			t.Errorf("a search that names %s changes who is asked", what)
		}
	}
	if !r.Moved(s, found(2)) {
		t.Fatal("a search that names another node changes nothing")
	}
	if _, known := r.coordinators[key{protocol.CoordinatorKeyGroup, "g"}]; known || r.coordinators[key{protocol.CoordinatorKeyGroup, "h"}] != 3 {
		t.Errorf("coordinators are %v, want none of the silent node's, and those of others kept", r.coordinators)
	}
	r.Answer(r.now, s, nil, errors.New("the connection was closed"), true)
	r.now = r.now.Add(delay)
	if next := r.due(); next.Node != 2 {
		t.Errorf("the commit is asked of node %d, want 2", next.Node)
	}
}
