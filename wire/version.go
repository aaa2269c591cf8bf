package wire

import (
	"fmt"
	"math"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// versions is what one broker speaks, by API key. It never changes once a connection is established.
type versions map[int16]versionRange

type versionRange struct {
	min, max int16 // what the broker speaks
	cap      int16 // what the user lets us speak
}

func newVersions(keys []protocol.ApiVersion) versions {
	v := make(versions, len(keys))
	for _, k := range keys {
		v[k.APIKey] = versionRange{k.MinVersion, k.MaxVersion, math.MaxInt16}
	}
	return v
}

// A RangeError says that a broker has named versions of an API that are none: the last is before the first, or one is below
// 0. A byte of the answer may have changed on the way, so the answer is not used, and the broker is asked again.
type RangeError struct {
	API      string
	Min, Max int16
}

// Error returns the range.
func (e *RangeError) Error() string {
	return fmt.Sprintf("the answer makes no sense: versions %d to %d of %s", e.Min, e.Max, e.API)
}

// checkRanges returns a *RangeError if a broker's answer has an impossible range for a request that we know. Those that we
// do not know are none of our business.
func checkRanges(keys []protocol.ApiVersion) error {
	for _, k := range keys {
		if k.MinVersion >= 0 && k.MinVersion <= k.MaxVersion {
			continue
		}
		if api, known := protocol.APIByKey(k.APIKey); known {
			return &RangeError{api.Name, k.MinVersion, k.MaxVersion}
		}
	}
	return nil
}

// cap applies the user's caps, by API key.
func (v versions) cap(most map[int16]int16) {
	for key, version := range most {
		if r, ok := v[key]; ok {
			r.cap = version
			v[key] = r
		}
	}
}

// choose returns the newest version of api that both sides speak and that is not above limit (0 = none), or an
// *UnsupportedVersionError.
func (v versions) choose(api protocol.API, limit int16) (int16, error) {
	most := api.Max
	if limit > 0 {
		most = min(most, limit)
	}
	theirs, known := v[api.Key]
	if known {
		most = min(most, theirs.cap)
	}
	version := min(most, theirs.max)
	if !known || version < max(api.Min, theirs.min) {
		return 0, &UnsupportedVersionError{
			API: api.Name, Known: known,
			BrokerMin: theirs.min, BrokerMax: theirs.max, Min: api.Min, Max: most,
		}
	}
	return version, nil
}

// newest returns the newest version of an API that both sides speak, and whether there is one.
func (v versions) newest(apiKey int16) (version int16, ok bool) {
	api, known := protocol.APIByKey(apiKey)
	if !known {
		return 0, false
	}
	version, err := v.choose(api, 0)
	return version, err == nil
}

// Since KIP-219 (Kafka 2.0) a broker answers at once and leaves the waiting to the client. At versions older than these
// it has waited itself, and a client that waits again would be throttled twice.
var firstClientThrottled = map[int16]int16{
	0:  6, // Produce
	2:  3, // ListOffsets
	3:  6, // Metadata
	10: 2, // FindCoordinator
	18: 2, // ApiVersions
	19: 3, // CreateTopics
	22: 1, // InitProducerId
	24: 1, // AddPartitionsToTxn
	25: 1, // AddOffsetsToTxn
	26: 1, // EndTxn
	28: 1, // TxnOffsetCommit
	32: 2, // DescribeConfigs
}

// throttle returns how long the client must keep silent after this answer.
func throttle(apiKey, version int16, resp protocol.Response) time.Duration {
	wanted := resp.ThrottleFor()
	if wanted <= 0 || version < firstClientThrottled[apiKey] {
		return 0
	}
	return wanted
}

// granted returns how much of a throttling is heeded before the broker is asked again. What it says may be out of all
// reason: a quota in bytes knows no bound, and a bit may have flipped.
func (cfg *Config) granted(wanted time.Duration) time.Duration {
	if cfg.MaxThrottle > 0 {
		return min(wanted, cfg.MaxThrottle)
	}
	return wanted
}

// throttledLocked notes that the broker wants to be sent nothing for so long.
func (c *Conn) throttledLocked(now time.Time, wanted time.Duration) {
	if until := now.Add(c.cfg.granted(wanted)); until.After(c.throttledUntil) {
		c.throttledUntil = until
	}
}
