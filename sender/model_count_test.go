//go:build !race

package sender

// defaultHistories is how many histories a run of the tests affords: some seconds.
func defaultHistories(short bool) uint64 {
	if short {
		return 20_000
	}
	return 30_000
}
