package sender

import (
	"testing"

	"github.com/epistle-kafka/epistle/accumulator"
)

// A change can come when the loop has drained the batch already, has been told of
// it by the drain of the one before, or has heard that it is ready.
func TestChangesThatComeLate(t *testing.T) {
	p := &partition{drained: 7}
	p.headChanged(accumulator.Head{Serial: 7, Ready: true})
	if p.queued() {
		t.Fatalf("head = %+v after a change of a batch that was drained, want none", p.head)
	}
	p.headChanged(accumulator.Head{Serial: 8})
	p.headChanged(accumulator.Head{Serial: 8, Ready: true})
	if !p.queued() || !p.head.Ready {
		t.Fatalf("head = %+v, want batch 8, ready", p.head)
	}
	p.headChanged(accumulator.Head{Serial: 8})
	if !p.head.Ready {
		t.Error("an old change has made a batch linger again that was ready")
	}
}
