package kafka

import (
	"net"
	"slices"
	"testing"
)

// Two processes at once get ports of their own, though nobody listens on them yet.
func TestProcessesDoNotShareTheirPorts(t *testing.T) {
	seen := make(map[int]bool)
	for range 3 { // processes
		row, err := claimPorts()
		if err != nil {
			t.Fatal(err)
		}
		defer row.guard.Close()
		ports, err := row.free(rowLength / 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range ports {
			if seen[port] {
				t.Fatalf("port %d is given out twice", port)
			}
			seen[port] = true
		}
	}
}

// A port that was given out comes again when all others have, and one that somebody listens on is passed over.
func TestPortsComeInTurn(t *testing.T) {
	row, err := claimPorts()
	if err != nil {
		t.Fatal(err)
	}
	defer row.guard.Close()
	free := func(n int) []int {
		t.Helper()
		ports, err := row.free(n)
		if err != nil {
			t.Fatal(err)
		}
		return ports
	}
	first := free(10)
	listener, err := net.Listen("tcp", loopback(first[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for range 2 {
		for _, port := range free(40) {
			if slices.Contains(first, port) {
				t.Fatalf("port %d comes again before the others have come once", port)
			}
		}
	}
	if again := free(20); slices.Contains(again, first[0]) || !slices.Contains(again, first[1]) {
		t.Errorf("after %v come %v, want all but the first, on which somebody listens", first, again)
	}
	if ports, err := row.free(rowLength); err == nil {
		t.Errorf("a row of %d gives out %v", rowLength, ports)
	}
}
