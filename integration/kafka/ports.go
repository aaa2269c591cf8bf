package kafka

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Brokers' ports lie below the ranges from which systems take ports for outgoing connections: while a broker is down, a
// client that dials such a port of its own machine may be given it as its source, connect to itself and keep the broker out.
const lowestPort, highestPort = 16000, 32000

// rowLength is how many ports a process has for its brokers, the guard included. One cluster takes a dozen at most.
const rowLength = 100

// A portRow is the ports that this process alone gives to brokers. Others must not take one that nobody listens on at the
// moment: its broker may be starting, or be down until a test starts it again.
type portRow struct {
	guard net.Listener // on the first one, as long as the process lives: it tells other processes that the row is taken
	first int

	mu   sync.Mutex // guards the following
	next int        // how many were looked at
}

var thePorts = sync.OnceValues(claimPorts)

// freePorts picks n ports of 127.0.0.1 on which nobody listens now, and which no other process picks.
func freePorts(n int) ([]int, error) {
	row, err := thePorts()
	if err != nil {
		return nil, err
	}
	return row.free(n)
}

// claimPorts takes a row that nobody has.
func claimPorts() (*portRow, error) {
	const rows = (highestPort - lowestPort) / rowLength
	start := rand.IntN(rows)
	for i := range rows {
		first := lowestPort + (start+i)%rows*rowLength
		if guard, err := net.Listen("tcp", loopback(first)); err == nil {
			return &portRow{guard: guard, first: first}, nil
		}
	}
	return nil, fmt.Errorf("somebody listens on each of the ports %d, %d and so on to %d of 127.0.0.1", lowestPort, lowestPort+rowLength, highestPort-rowLength)
}

// free gives out ports in turn, so that those of a cluster come again as late as can be.
func (r *portRow) free(n int) ([]int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ports []int
	for range rowLength - 1 {
		if len(ports) == n {
			break
		}
		port := r.first + 1 + r.next%(rowLength-1)
		r.next++
		if listener, err := net.Listen("tcp", loopback(port)); err == nil {
			listener.Close()
			ports = append(ports, port)
		}
	}
	if len(ports) < n {
		return nil, fmt.Errorf("of the ports %d to %d only %d are free, and %d are needed", r.first+1, r.first+rowLength-1, len(ports), n)
	}
	return ports, nil
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
