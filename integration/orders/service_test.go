package orders

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
)

// A service is the command, which is started again with the same database.
type service struct {
	t      *testing.T
	kafka  *kafka.Cluster
	topic  string
	dir    string // of its binary, its database, and what it says
	binary string

	cmd     *exec.Cmd
	gone    chan error // how the present run has ended
	address string
}

func (s *service) build() {
	s.t.Helper()
	s.binary = filepath.Join(s.dir, "orders")
	if out, err := exec.Command("go", "build", "-C", "../../examples", "-o", s.binary, "./orders/cmd/orders").CombinedOutput(); err != nil {
		s.t.Fatalf("go build: %v\n%s", err, out)
	}
	s.t.Cleanup(func() {
		if s.cmd != nil {
			_ = s.cmd.Process.Kill() // it may have ended
		}
		if s.t.Failed() {
			s.t.Logf("the service says:\n%s", s.said())
		}
	})
}

func (s *service) log() string { return filepath.Join(s.dir, "log") }

func (s *service) said() string {
	text, err := os.ReadFile(s.log())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// serving is the line by which it says where it listens.
var serving = regexp.MustCompile(`serving address=(\S+)\n`)

// start runs it, and waits until it serves.
func (s *service) start() {
	s.t.Helper()
	log, err := os.Create(s.log())
	do(s.t, err)
	defer log.Close()
	s.cmd = exec.Command(s.binary, "-listen", "127.0.0.1:0", "-b", s.kafka.Bootstrap(), "-db", filepath.Join(s.dir, "orders.db"), "-topic", s.topic)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	do(s.t, s.cmd.Start())
	cmd, gone := s.cmd, make(chan error, 1)
	go func() { gone <- cmd.Wait() }() // ends with the process
	s.gone = gone
	for until := time.Now().Add(patience); ; {
		if found := serving.FindStringSubmatch(s.said()); found != nil {
			s.address = found[1]
			return
		}
		select {
		case err := <-gone:
			s.t.Fatalf("it has ended with %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(until) {
			s.t.Fatal("it does not say where it serves")
		}
	}
}

func (s *service) url(path string) string { return "http://" + s.address + "/" + path }

// get demands success.
func (s *service) get(path string) string {
	s.t.Helper()
	response, err := http.Get(s.url(path))
	do(s.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	do(s.t, err)
	if response.StatusCode != http.StatusOK {
		s.t.Errorf("%s: %d, %s", path, response.StatusCode, text)
	}
	return string(text)
}

// relays places an order and waits until a transaction has been committed since the start: until then a stop leaves what was
// taken to the next start, as the outbox is for.
func (s *service) relays() {
	s.t.Helper()
	response, err := http.Post(s.url("orders"), "application/json", strings.NewReader(`{"customer":"first","item":"first","cents":1}`))
	do(s.t, err)
	response.Body.Close()
	for until := time.Now().Add(patience); !committed.MatchString(s.get("metrics")); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			s.t.Fatal("its relay commits nothing")
		}
	}
}

var committed = regexp.MustCompile(`(?m)^kafka_producer_transactions_total\{[^}]*outcome="committed"[^}]*\} [1-9]`)

func (s *service) signal(signal syscall.Signal) {
	s.t.Helper()
	do(s.t, s.cmd.Process.Signal(signal))
}

// wait is how the present run ends.
func (s *service) wait() error {
	s.t.Helper()
	select {
	case err := <-s.gone:
		return err
	case <-time.After(patience):
		s.t.Fatal("it does not end")
		return nil
	}
}
