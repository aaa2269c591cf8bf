package brokertest

import (
	"reflect"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A row that is missing, or that is for another API's messages, would show only once somebody sends such a request, or scripts
// a fault for it.
func TestEveryAPIHasItsRow(t *testing.T) {
	for _, known := range protocol.APIs() {
		row, ok := apis[known.Key]
		if !ok || row.answer == nil {
			t.Errorf("%s has no row in apis, or one that answers nothing", known.Name)
			continue
		}
		r := &Request{APIKey: known.Key, Version: known.Max, Message: protocol.NewRequest(known.Key)}
		resp := r.Message.NewResponse()
		if has := reflect.ValueOf(resp).Elem().FieldByName("ThrottleTime").IsValid(); has != (row.throttle != nil) {
			t.Errorf("%s: the response has a throttle time: %v; the row knows one: %v", known.Name, has, row.throttle != nil)
		}
		if setThrottle(r, resp, time.Second); row.throttle != nil && resp.ThrottleFor() != time.Second {
			t.Errorf("%s: the throttle time is %v, want 1 s", known.Name, resp.ThrottleFor())
		}
		// An empty request names no topic, but for Metadata, which then asks for all of them.
		if got, want := r.names("orders", 0), known.Key == Metadata; got != want {
			t.Errorf("%s: an empty request is about a topic: %v", known.Name, got)
		}
		if row.coordinated != nil {
			row.coordinated(r.Message)
		}
		// Produce is answered with the action in hand; the answer to Metadata needs a cluster.
		if known.Key == Produce || known.Key == Metadata {
			continue
		}
		refused, goOn := row.refuse(nil, r, &Action{code: protocol.UnknownServerError, index: -1})
		if !goOn || refused.API() != known {
			t.Errorf("%s: refuse makes an answer of %s, and closes the connection: %v", known.Name, refused.API().Name, !goOn)
		}
	}
	if got, want := len(apis), len(protocol.APIs()); got != want {
		t.Errorf("apis has %d rows, want %d: one is for a request that package protocol does not know", got, want)
	}
}
