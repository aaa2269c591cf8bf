package sender

import "github.com/epistle-kafka/epistle/idempotent"

// A retired identity has the newest epoch, of the producer's present id, that a partition of a forgotten topic has used. A
// broker remembers such a partition for longer than the loop does (pitfall 9). If its numbers began anew under the same epoch,
// the broker would take new records for old ones. So every partition that is met after a topic was forgotten begins with the
// epoch after this one. Ids before the present one are not used again.
type retired struct {
	newest idempotent.Identity
	any    bool
}

// add notes that a partition with these numbers is forgotten.
func (r *retired) add(id idempotent.Identity) {
	if !r.any || r.newest.ID != id.ID || r.newest.Epoch < id.Epoch {
		r.newest, r.any = id, true
	}
}

// after reports whether some partition has retired under id, and its newest identity.
func (r *retired) after(id int64) (newest idempotent.Identity, some bool) {
	return r.newest, r.any && r.newest.ID == id
}
