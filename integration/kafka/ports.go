package kafka

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// freePorts picks n ports of 127.0.0.1 on which nobody listens now. They lie below the ranges from
// which systems take ports for outgoing connections: while a broker is down, a client that dials such
// a port of its own machine may be given it as its source, connect to itself and keep the broker out.
func freePorts(n int) ([]int, error) {
	const low, high = 16000, 32000
	taken := make(map[int]bool, n)
	ports := make([]int, 0, n)
	for range 1000 {
		port := low + rand.IntN(high-low)
		if taken[port] {
			continue
		}
		listener, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		listener.Close()
		taken[port] = true
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports between %d and %d", n, low, high)
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
