package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/epistle-kafka/epistle/bench/internal/counted"
)

// counts is what has come, by client id.
type counts struct {
	mu sync.Mutex // guards the following
	by map[string]*counter
}

// tally is what one request adds.
type tally struct {
	requests, batches, records, bytes, duplicates, faults int64
}

type counter struct {
	requests, batches, records, bytes, duplicates, faults atomic.Int64
}

func (c *counter) add(t tally) {
	c.requests.Add(t.requests)
	c.batches.Add(t.batches)
	c.records.Add(t.records)
	c.bytes.Add(t.bytes)
	c.duplicates.Add(t.duplicates)
	c.faults.Add(t.faults)
}

// of returns the counter of a client. It stays the same one for as long as the sink lives.
func (c *counts) of(clientID string) *counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]*counter{}
	}
	if c.by[clientID] == nil {
		c.by[clientID] = new(counter)
	}
	return c.by[clientID]
}

func (c *counts) list() []counted.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []counted.Client
	for id, n := range c.by {
		list = append(list, counted.Client{
			Client: id, Requests: n.requests.Load(), Batches: n.batches.Load(), Records: n.records.Load(),
			Bytes: n.bytes.Load(), Duplicates: n.duplicates.Load(), Faults: n.faults.Load(),
		})
	}
	slices.SortFunc(list, func(a, b counted.Client) int { return strings.Compare(a.Client, b.Client) })
	return list
}

func (c *counts) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.by {
		for _, f := range []*atomic.Int64{&n.requests, &n.batches, &n.records, &n.bytes, &n.duplicates, &n.faults} {
			f.Store(0)
		}
	}
}

// answerControl answers the lines of one control connection.
func (s *sink) answerControl(c net.Conn) {
	defer c.Close()
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		var answer strings.Builder
		switch lines.Text() {
		case "counts":
			for _, client := range s.counts.list() {
				line, err := json.Marshal(client)
				if err != nil {
					panic(err)
				}
				fmt.Fprintf(&answer, "%s\n", line)
			}
		case "reset":
			s.counts.reset()
		default:
			return
		}
		answer.WriteByte('\n')
		if _, err := c.Write([]byte(answer.String())); err != nil {
			return
		}
	}
}
