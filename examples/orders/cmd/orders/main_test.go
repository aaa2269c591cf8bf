package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
)

// shown are the two commands of docs/exactly-once.md: how the service is started, and how an order is placed.
var shown = regexp.MustCompile(`(?m)^    go -C examples run \./orders/cmd/orders (.*)\n    curl -i -d '(.*)' localhost:8080(/\w+)$`)

// What the page shows works, with another port and a cluster in the process: the event is there, and the service ends
// gracefully.
func TestTheCommandsOfTheGuide(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/exactly-once.md")
	if err != nil {
		t.Fatal(err)
	}
	found := shown.FindStringSubmatch(string(page))
	if found == nil {
		t.Fatalf("the page does not show how to start the service, and how to place an order")
	}
	c := brokertest.New(t, brokertest.Topic("orders", 1))
	address := freeAddress(t)
	o, err := parse(append(strings.Fields(found[1]), "-b", strings.Join(c.Bootstrap(), ","), "-listen", address, "-db", filepath.Join(t.TempDir(), "orders.db")))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stopping, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- run(stopping, o) }()
	for {
		resp, err := http.Post("http://"+address+found[3], "application/json", strings.NewReader(found[2]))
		if err == nil {
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusAccepted {
				t.Fatalf("%s: %s", resp.Status, body)
			}
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("the service has ended: %v", err)
		case <-time.After(10 * time.Millisecond): // it is about to listen
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the service ends with %v", err)
	}
	if got := c.Committed("orders", 0); len(got) != 1 || string(got[0].Value) != found[2] {
		t.Errorf("the log has %v, want the order", got)
	}
	if _, err := parse([]string{"-b", "localhost:9092", "more"}); err == nil {
		t.Error("an argument that means nothing is taken")
	}
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
