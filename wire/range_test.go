package wire

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/epistle-kafka/epistle/protocol"
)

// An answer to ApiVersions with a range that is none is refused, and says for which request. One of a request that we do not
// know is none of our business.
func TestAnImpossibleRangeIsRefused(t *testing.T) {
	for _, test := range []struct {
		offered protocol.ApiVersion
		refused bool
	}{
		{protocol.ApiVersion{APIKey: 0, MinVersion: 16384, MaxVersion: 13}, true},
		{protocol.ApiVersion{APIKey: 0, MinVersion: -2, MaxVersion: 13}, true},
		{protocol.ApiVersion{APIKey: 0, MinVersion: -3, MaxVersion: -2}, true},
		{protocol.ApiVersion{APIKey: 0, MinVersion: 13, MaxVersion: 13}, false},
		{protocol.ApiVersion{APIKey: 30000, MinVersion: 5, MaxVersion: 2}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			cfg := testConfig()
			_, b := inMemory(t, cfg)
			go func() {
				h, _ := b.want()
				b.answer(h, &protocol.ApiVersionsResponse{APIKeys: []protocol.ApiVersion{{APIKey: 3, MaxVersion: 9}, test.offered}})
			}()
			c, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil)
			if err == nil {
				c.Close(nil)
			}
			var impossible *RangeError
			if got := errors.As(err, &impossible); got != test.refused {
				t.Errorf("%+v: got %v, want refused: %v", test.offered, err, test.refused)
			}
			var failed *Error
			if test.refused && (!errors.As(err, &failed) || failed.Stage != StageApiVersions || impossible.API != "Produce") {
				t.Errorf("%+v: got %v, want the stage and the request", test.offered, err)
			}
		})
	}
}
