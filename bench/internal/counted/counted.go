// Package counted is what a sink has counted, and how to ask it.
package counted

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
)

// Client is what came with one client id.
type Client struct {
	Client     string `json:"client"`
	Requests   int64  `json:"requests"`
	Batches    int64  `json:"batches"`
	Records    int64  `json:"records"` // of the batches that were taken
	Bytes      int64  `json:"bytes"`   // of the batches that were taken, as they came
	Duplicates int64  `json:"duplicates"`
	Faults     int64  `json:"faults"` // batches that were refused
}

// Control is a connection to a sink's control address.
type Control struct {
	conn  net.Conn
	lines *bufio.Reader
}

// Dial connects to a control address.
func Dial(address string) (*Control, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &Control{conn, bufio.NewReader(conn)}, nil
}

// Close closes the connection.
func (c *Control) Close() error { return c.conn.Close() }

// Counts returns what has come since the last Reset, a Client for each client id.
func (c *Control) Counts() ([]Client, error) {
	if _, err := fmt.Fprintln(c.conn, "counts"); err != nil {
		return nil, err
	}
	var clients []Client
	for {
		line, err := c.lines.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		if len(line) == 1 {
			return clients, nil
		}
		var client Client
		if err := json.Unmarshal(line, &client); err != nil {
			return nil, err
		}
		clients = append(clients, client)
	}
}

// Reset sets all counts to 0.
func (c *Control) Reset() error {
	if _, err := fmt.Fprintln(c.conn, "reset"); err != nil {
		return err
	}
	_, err := c.lines.ReadBytes('\n')
	return err
}
