//go:build race

package sender

// defaultHistories is how many histories a run of the tests affords: some seconds. The race detector costs ten times as
// much, and has nothing to find in a core that knows no goroutine.
func defaultHistories(short bool) uint64 {
	if short {
		return 500
	}
	return 2_000
}
