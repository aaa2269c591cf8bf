package sender

// A fifo is a first-in first-out list that reuses its memory: at an even pace it allocates nothing.
type fifo[T any] struct {
	items []T
	head  int // index of the oldest
}

func (f *fifo[T]) len() int { return len(f.items) - f.head }

// all returns the items, oldest first, until the next change.
func (f *fifo[T]) all() []T { return f.items[f.head:] }

// first returns the oldest. There must be one.
func (f *fifo[T]) first() T { return f.items[f.head] }

// last returns the newest. There must be one.
func (f *fifo[T]) last() T { return f.items[len(f.items)-1] }

func (f *fifo[T]) push(item T) {
	// Only once half of it is free, so that moving costs an item no more than growing would.
	if len(f.items) == cap(f.items) && f.head > 0 && f.head >= len(f.items)/2 {
		n := copy(f.items, f.items[f.head:])
		clear(f.items[n:])
		f.items, f.head = f.items[:n], 0
	}
	f.items = append(f.items, item)
}

// pop takes the oldest off and returns it.
func (f *fifo[T]) pop() T {
	var none T
	item := f.items[f.head]
	f.items[f.head] = none
	f.head++
	if f.head == len(f.items) {
		f.items, f.head = f.items[:0], 0
	}
	return item
}
