package main

import (
	"net"
	"strconv"
	"sync"

	"github.com/epistle-kafka/epistle/protocol"
)

// A sink is one or more brokers of one cluster.
type sink struct {
	options   Options
	listeners []net.Listener // of the brokers, by node id less one
	control   net.Listener
	failed    chan error // what a listener ended with

	counts counts
	checks checks

	mu     sync.Mutex // guards the following
	lastID int64      // of producers
	offset int64
	ids    map[string]protocol.UUID // of topics
}

// start returns a sink that listens.
func start(o Options) (*sink, error) {
	s := &sink{options: o, failed: make(chan error, 1), ids: map[string]protocol.UUID{}}
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, err
	}
	first, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	for i := range o.Brokers {
		next := first
		if first != 0 {
			next += i
		}
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(next)))
		if err != nil {
			s.close()
			return nil, err
		}
		s.listeners = append(s.listeners, l)
	}
	if o.Control != "" {
		if s.control, err = net.Listen("tcp", o.Control); err != nil {
			s.close()
			return nil, err
		}
		go s.accept(s.control, s.answerControl)
	}
	for _, l := range s.listeners {
		go s.accept(l, s.serve)
	}
	return s, nil
}

func (s *sink) accept(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			select {
			case s.failed <- err:
			default:
			}
			return
		}
		go serve(c)
	}
}

func (s *sink) close() {
	for _, l := range s.listeners {
		l.Close()
	}
	if s.control != nil {
		s.control.Close()
	}
}

func (s *sink) addresses() []string {
	var addresses []string
	for _, l := range s.listeners {
		addresses = append(addresses, l.Addr().String())
	}
	return addresses
}

// leader is the node that leads a partition.
func (s *sink) leader(partition int32) int32 { return partition%int32(len(s.listeners)) + 1 }

func (s *sink) node(id int32) (host string, port int32) {
	a := s.listeners[id-1].Addr().(*net.TCPAddr)
	return a.IP.String(), int32(a.Port)
}
