package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/epistle-kafka/epistle/integration/reader"
)

// A readBack reads a topic with another client while it is written, and checks what is in it.
type readBack interface {
	// now is what was found so far.
	now() findings
	// finish reads on to the end of the topic, which that many records were sent to, by partition. It is called once.
	finish(ctx context.Context, sent []int64) (findings, error)
	// stop ends it without finish, and may be called after it.
	stop()
}

// process is a readBack that is a process of its own, so that what it costs is not counted as the producer's. It is this
// program once more; main calls followTopic there.
type process struct {
	topic string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{} // closed when all that it has written was read, and it was waited for

	mu   sync.Mutex // guards the following
	last findings
	err  error // how it ended, once it has
}

// followCommand is the first argument of a process that reads back. Then come the addresses of the brokers, the topic, how
// many partitions it has, and "committed" or "all".
const followCommand = "follow"

func startReadBack(bootstrap, topic string, partitions int, committed bool) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	which := "all"
	if committed {
		which = "committed"
	}
	p := &process{topic: topic, ended: make(chan struct{})}
	p.cmd = exec.Command(self, followCommand, bootstrap, topic, strconv.Itoa(partitions), which)
	p.cmd.Stderr = os.Stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go p.listen(out)
	return p, nil
}

// listen ends with the process.
func (p *process) listen(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var f findings
		if json.Unmarshal(lines.Bytes(), &f) == nil {
			p.mu.Lock()
			p.last = f
			p.mu.Unlock()
		}
	}
	err := p.cmd.Wait()
	p.mu.Lock()
	p.err = err
	p.mu.Unlock()
	close(p.ended)
}

func (p *process) now() findings {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

func (p *process) finish(ctx context.Context, sent []int64) (findings, error) {
	defer p.stop()
	err := json.NewEncoder(p.stdin).Encode(sent)
	select {
	case <-p.ended:
	case <-ctx.Done():
		return p.now(), fmt.Errorf("topic %s was not read to its end: %w", p.topic, ctx.Err())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.last, fmt.Errorf("the process that reads topic %s: %w", p.topic, errors.Join(err, p.err))
	}
	return p.last, nil
}

func (p *process) stop() {
	p.stdin.Close() // ends it, in a moment
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		p.cmd.Process.Kill()
		<-p.ended
	}
}

const (
	// tellEvery is how often a process that reads back says what it has found.
	tellEvery = time.Second
	// deleteEvery is how often it deletes what it has read, so that what is on the disk stays bounded.
	deleteEvery = 5 * time.Second
)

// followTopic is all that such a process does. It writes its findings to out, each a line of JSON, and ends at the end of the
// topic after it was told on in how many records that is; or when in ends, which is the end of the process that started it.
func followTopic(arguments []string, in io.Reader, out io.Writer) error {
	signal.Ignore(os.Interrupt) // a Ctrl-C at the terminal is for the process that started it
	if len(arguments) != 4 {
		return fmt.Errorf("%d arguments", len(arguments))
	}
	bootstrap, topic, committed := arguments[0], arguments[1], arguments[3] == "committed"
	partitions, err := strconv.Atoi(arguments[2])
	if err != nil {
		return err
	}
	admin, err := reader.NewAdmin(bootstrap)
	if err != nil {
		return err
	}
	defer admin.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f := &following{topic: topic, check: newChecker(partitions), out: json.NewEncoder(out)}
	end := make(chan struct{})
	var sent []int64 // to be read once end is closed
	go func() {
		defer cancel()
		orders := json.NewDecoder(in)
		if orders.Decode(&sent) != nil {
			return
		}
		close(end)
		orders.Decode(new(any)) // there is no other: it is waited for the end of in
	}()
	go f.report(ctx, admin.Client())
	err = reader.Follow(ctx, bootstrap, topic, reader.Options{Committed: committed}, end, f.record)
	if ctx.Err() != nil {
		return nil // nobody wants to know any more
	}
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.check.finish(sent)
	return f.out.Encode(f.check.findings)
}

// following is what the goroutines of such a process share.
type following struct {
	topic string

	mu    sync.Mutex // guards the following
	check *checker
	out   *json.Encoder
}

func (f *following) record(r *reader.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.check.record(r.Partition, r.Offset, r.Value)
	return nil
}

// report tells what was found and deletes what was read, until ctx ends.
func (f *following) report(ctx context.Context, admin *kadm.Client) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for n := time.Duration(1); ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		f.mu.Lock()
		_ = f.out.Encode(f.check.findings) // whoever does not read it has ended, and so will this
		read := kadm.Offsets{}
		for i, p := range f.check.partitions {
			read.AddOffset(f.topic, int32(i), p.offset, -1)
		}
		f.mu.Unlock()
		if n*tellEvery%deleteEvery != 0 {
			continue
		}
		answers, err := admin.DeleteRecords(ctx, read)
		if err == nil {
			err = answers.Error()
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintf(os.Stderr, "reauth: topic %s: what was read is not deleted, and the disk fills: %v\n", f.topic, err)
		}
	}
}
