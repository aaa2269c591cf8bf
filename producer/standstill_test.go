//go:build unix

package producer_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// standStillEnv makes the test binary the process that is stopped: it names the bootstrap server.
const standStillEnv = "EPISTLE_TEST_STAND_STILL"

// The process is stopped for longer than request.timeout and delivery.timeout, and the answers come meanwhile. When it
// goes on it takes them: nothing is sent twice, and nobody is told of a timeout. A real process, real sockets, real time:
// but however slow the machine is, it can only make the pause longer.
func TestAProcessThatIsStopped(t *testing.T) {
	if addr := os.Getenv(standStillEnv); addr != "" {
		sendAndStandStill(t, addr)
		return
	}
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	c := brokertest.New(t, brokertest.Brokers(3), brokertest.Topic("t", 3)) // one leader each
	release := make(chan struct{})
	child := exec.Command(os.Args[0], "-test.run=^TestAProcessThatIsStopped$", "-test.v")
	child.Env = append(os.Environ(), standStillEnv+"="+c.Bootstrap()[0])
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	child.Stdout, child.Stderr = &out, &out
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Process.Kill()
	waitFor(t, func() bool { return len(produced(c)) == 3 }) // the first record of each partition
	c.On(brokertest.Produce).Times(3).Do(brokertest.Pass().Held(release))
	fmt.Fprintln(in, "go on")
	waitFor(t, func() bool { return len(produced(c)) == 6 })
	if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // until it stands still
	close(release)
	time.Sleep(stoppedFor)
	if err := child.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	in.Close()
	if err := child.Wait(); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	for partition := range int32(3) {
		if got := len(c.Records("t", partition)); got != 2 {
			t.Errorf("partition %d has %d records, want 2", partition, got)
		}
	}
	if got := len(produced(c)); got != 6 {
		t.Errorf("%d produce requests, want 6: nothing is sent twice", got)
	}
}

const stoppedFor = 6 * time.Second

// sendAndStandStill is the child: it sends to three partitions, and then once more, to be stopped meanwhile.
func sendAndStandStill(t *testing.T, addr string) {
	cfg := producer.AtLeastOnce(addr)
	cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.Linger = stoppedFor-2*time.Second, stoppedFor-time.Second, 0
	cfg.MaxInFlightRequestsPerConnection = 5
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(os.Stdin)
	for round := range 2 {
		var futures []producer.Future
		for partition := range int32(3) {
			rec := producer.Record{Topic: "t", Partition: producer.OnPartition(partition), Value: fmt.Append(nil, round)}
			f := p.Send(t.Context(), rec)
			if round == 0 { // one request each
				f.Wait(t.Context())
			}
			futures = append(futures, f)
			time.Sleep(50 * time.Millisecond)
		}
		for _, f := range futures {
			if _, err := f.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if round == 0 {
			in.ReadString('\n')
		}
	}
	io.Copy(io.Discard, in)
	if s := p.Stats(); s.Retried != 0 || s.Acknowledged != 6 {
		t.Errorf("%d records were sent again and %d acknowledged, want 0 and 6", s.Retried, s.Acknowledged)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for range 6000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it did not happen within a minute")
}
