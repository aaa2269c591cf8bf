//go:build !(amd64 || arm64) || purego

package accumulator

func prefetch(*byte, int) {}

func prefetchRange(*byte, int, int) {}

func prefetchValues(*KeyValue, int) {}

func prefetchLines(*byte, int) {}
