package epistle

import (
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/bench/driver"
)

// TestCallsAreWhatTheirRowsSay guards the row that is compared: each record has a closure that knows which one it is, and so
// has each future who waits for it; one function for all records knows nothing.
func TestCallsAreWhatTheirRowsSay(t *testing.T) {
	for setting, knows := range map[string]bool{"": true, "callback=future": true, "callback=shared": false, "call=2": false} {
		var results driver.Results
		// Records to a topic of that name are refused at once, without a broker.
		o := &driver.Options{Bootstrap: "127.0.0.1:1", Topic: "no name for a topic", Memory: 1 << 20, InFlight: 5, Linger: -1, Codec: "none"}
		if setting != "" {
			if err := o.Set.Set(setting); err != nil {
				t.Fatal(err)
			}
		}
		c, err := Open(o, &results)
		if err != nil {
			t.Fatal(err)
		}
		send, rest := c.(driver.Grouper).Group()
		if (send == nil) != (setting == "") {
			t.Errorf("with %q records are handed over by the client's Send: %v", setting, send == nil)
		}
		if send == nil {
			send, rest = c.Send, func() {}
		}
		send(nil, []byte("value"), 17)
		rest()
		c.Close()
		if err := results.First(); err == nil || strings.Contains(err.Error(), "record 17 of goroutine 0") != knows {
			t.Errorf("with %q the outcome is %v; it names its record: want %v", setting, err, knows)
		}
	}
}
