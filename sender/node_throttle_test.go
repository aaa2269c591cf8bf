package sender

import (
	"testing"
	"time"
)

// A link's quiet is what is in the time asked for, each moment once, and ends with the connection.
func TestQuietTimes(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	var q quietTimes
	quiet := func(from, until, want int) {
		t.Helper()
		if got := q.within(at(from), at(until)); got != time.Duration(want)*time.Second {
			t.Errorf("from %d to %d: %v, want %d s", from, until, got, want)
		}
	}
	q.end(at(5))
	q.note(at(10), at(20))
	q.note(at(15), at(25))
	q.note(at(40), at(50))
	quiet(0, 5, 0)
	quiet(0, 100, 25)
	quiet(12, 18, 6)
	quiet(22, 45, 8)
	quiet(25, 40, 0)
	quiet(45, 60, 5)

	q.note(at(60), at(3660))
	q.end(at(63))
	q.end(at(70))
	quiet(0, 5000, 28)
	q.note(at(71), at(3671))
	q.end(at(71)) // at once
	quiet(0, 5000, 28)
}

// However many times there were, all that was quiet is known. What is blurred are the short times in between.
func TestManyQuietTimes(t *testing.T) {
	began := time.Unix(0, 0)
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	var q quietTimes
	for i := range 100 { // a minute in which little was asked for
		q.note(at(600*i), at(600*i+10))
	}
	for i := range 120 { // a quota that is used up: each request is answered after 20 ms, with a second of quiet
		q.note(at(100_000+1020*i), at(100_000+1020*i+1000))
	}
	for _, tt := range []struct{ from, until, want int }{
		{0, 300_000, 121_000}, {0, 60_000, 1000}, {60_000, 100_000, 0}, {100_000, 222_400, 120_000}, {150_000, 180_600, 30_000},
	} {
		got := q.within(at(tt.from), at(tt.until))
		if want := time.Duration(tt.want) * time.Millisecond; (got - want).Abs() > 100*time.Millisecond {
			t.Errorf("from %v to %v: %v, want %v", at(tt.from).Sub(began), at(tt.until).Sub(began), got, want)
		}
	}
}
