package doctor

import "sync"

// parallel is how many servers are looked at at a time.
const parallel = 8

// inOrder does n things, several at a time, and hands over what each has brought, in their order, as soon as it is there.
func inOrder[T any](n int, do func(i int) T, take func(i int, v T)) {
	results := make([]chan T, n)
	next := make(chan int, n)
	for i := range results {
		results[i] = make(chan T, 1)
		next <- i
	}
	close(next)
	var working sync.WaitGroup
	for range min(parallel, n) {
		working.Go(func() {
			for i := range next {
				results[i] <- do(i)
			}
		})
	}
	for i, result := range results {
		take(i, <-result)
	}
	working.Wait()
}
