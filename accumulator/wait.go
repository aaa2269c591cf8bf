package accumulator

import "time"

// A Wait waits until there is something to receive from ready, and receives it. It
// reports false if its caller has given up before, and has received nothing then.
// It returns the time, since queues read no clock. It is called with no lock held.
type Wait func(ready <-chan struct{}) (now time.Time, ok bool)

// await waits for n bytes. Of those who need memory for one queue it has one
// alone wait with Memory: the one who has the token of the queue's gate. The
// others wait for the token, and then look again, without a chunk: if each waited
// for memory, each chunk granted would be useless, since its record would fit into
// the chunk that the one before has brought; and those who need chunks for other
// queues would wait behind them all.
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
