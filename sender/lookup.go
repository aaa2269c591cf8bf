package sender

import (
	"iter"
	"maps"
	"slices"
	"time"
)

// A lookup is a caller that waits for a topic's metadata. The look-up itself goes on when the caller has left.
type lookup struct {
	partitions int           // that the topic must have at least
	since      time.Time     // when it began
	done       chan struct{} // closed when err is set
	err        error
}

func (l *lookup) end(err error) {
	l.err = err
	close(l.done)
}

// Lookups are the topics that are looked up, and the callers that wait for each. The core asks for these topics, and says what
// has become of them (lookup_calls.go).
type lookups struct {
	waiting map[string][]*lookup
	seeking map[string]bool // those of them that are known, and lack a partition that a caller waits for
	swept   time.Time       // when they were last looked through
}

func newLookups() lookups {
	return lookups{waiting: map[string][]*lookup{}, seeking: map[string]bool{}}
}

func (l *lookups) any() bool { return len(l.waiting) > 0 }

// all returns the topics that are looked up. Each can be ended meanwhile.
func (l *lookups) all() iter.Seq[string] { return maps.Keys(l.waiting) }

// lacking returns those that lack a partition.
func (l *lookups) lacking() iter.Seq[string] { return maps.Keys(l.seeking) }

// lacks reports whether a topic is known, and lacks a partition that a caller waits for.
func (l *lookups) lacks(name string) bool { return l.seeking[name] }

// begin looks a topic up without a caller that waits.
func (l *lookups) begin(name string) {
	if l.waiting[name] == nil {
		l.waiting[name] = []*lookup{}
	}
}

// add has a caller wait for a topic. If the topic is known, it lacks a partition that the caller needs.
func (l *lookups) add(name string, wait *lookup, known bool) {
	l.waiting[name] = append(l.waiting[name], wait)
	if known {
		l.seeking[name] = true
	}
}

// leave ends the waiting of a caller. It reports whether nobody waits for the topic any more, which is still looked up.
func (l *lookups) leave(name string, wait *lookup) bool {
	waiting, ok := l.waiting[name]
	if !ok {
		return false
	}
	l.waiting[name] = slices.DeleteFunc(waiting, func(o *lookup) bool { return o == wait })
	return len(l.waiting[name]) == 0
}

// answer ends the wait for a topic, which has so many partitions; -1: it is not known. Callers that need more wait on.
func (l *lookups) answer(name string, err error, partitions int) {
	waiting := l.waiting[name]
	left := waiting[:0]
	for _, wait := range waiting {
		if err == nil && partitions < wait.partitions {
			left = append(left, wait)
			l.seeking[name] = true
			continue
		}
		wait.end(err)
	}
	clear(waiting[len(left):])
	if len(left) == 0 {
		l.end(name)
		return
	}
	l.waiting[name] = left
}

// end looks a topic up no longer.
func (l *lookups) end(name string) {
	delete(l.waiting, name)
	delete(l.seeking, name)
}

// sweepEvery is how often look-ups are looked through.
const sweepEvery = time.Second

// sweep returns the topics that nobody waits for, now and then.
func (l *lookups) sweep(now time.Time) (unattended []string) {
	if now.Sub(l.swept) < sweepEvery {
		return nil
	}
	l.swept = now
	for name, waiting := range l.waiting {
		if len(waiting) == 0 {
			unattended = append(unattended, name)
		}
	}
	return unattended
}
