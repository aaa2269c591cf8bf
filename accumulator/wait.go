package accumulator

import "time"

// A Wait waits until it can receive from ready. It reports false, and has received nothing, if its caller has given up. It
// returns the time, since queues read no clock. It is called with no lock held.
type Wait func(ready <-chan struct{}) (now time.Time, ok bool)

// await waits for n bytes. Of the callers that need memory for one queue, one waits with Memory: the one that has the token of
// the queue's gate. The others wait for the token, and then look again, without a chunk. If each of them waited for memory,
// most chunks would be granted in vain, since the records fit into the chunk that the first one has brought. And callers with
// other queues would wait behind all of them.
func (q *Queue) await(n int, now time.Time, wait Wait, has *chan struct{}) (*chunk, time.Time, error) {
	if *has == nil {
		gate := q.theGate()
		select {
		case <-gate:
		default:
			ok := false
			if now, ok = wait(gate); !ok {
				return nil, now, ErrNoRoom
			}
			*has = gate
			return nil, now, nil
		}
		*has = gate
	}
	return q.topic.acc.Memory.await(n, now, wait)
}

// theGate returns the queue's gate.
func (q *Queue) theGate() chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gate == nil {
		q.gate = make(chan struct{}, 1) // for its one token
		q.gate <- struct{}{}
	}
	return q.gate
}
