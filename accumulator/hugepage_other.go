//go:build !linux

package accumulator

func adviseHuge([]byte) {}
