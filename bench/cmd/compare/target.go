package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/epistle-kafka/epistle/bench/internal/counted"
)

// A target is what the clients of a scenario send to. It counts what has arrived.
type target interface {
	bootstrap() string
	topic() string
	// begin is called before a run, and arrived after it.
	begin() error
	arrived(clientID string) (counted.Client, error)
	close() error
}

// sinkTarget is a sink in a process of its own.
type sinkTarget struct {
	process *exec.Cmd
	brokers string
	control *counted.Control
}

func (b *builder) startSink(args []string) (*sinkTarget, error) {
	args = append([]string{"-listen", "127.0.0.1:0", "-control", "127.0.0.1:0"}, args...)
	t := &sinkTarget{process: exec.Command(filepath.Join(b.bin, "sink"), args...)}
	t.process.Stderr = os.Stderr
	out, err := t.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := t.process.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if after, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			t.brokers = after
		}
		if after, ok := strings.CutPrefix(lines.Text(), "control on "); ok {
			if t.control, err = counted.Dial(after); err != nil {
				return nil, errors.Join(err, t.close())
			}
			return t, nil
		}
	}
	return nil, errors.Join(errors.New("the sink did not say where it listens"), t.close())
}

func (t *sinkTarget) bootstrap() string { return t.brokers }
func (t *sinkTarget) topic() string     { return "load" }
func (t *sinkTarget) begin() error      { return t.control.Reset() }

func (t *sinkTarget) arrived(clientID string) (counted.Client, error) {
	clients, err := t.control.Counts()
	if err != nil {
		return counted.Client{}, err
	}
	for _, c := range clients {
		if c.Client == clientID {
			return c, nil
		}
	}
	return counted.Client{}, fmt.Errorf("nothing came from client id %q", clientID)
}

func (t *sinkTarget) close() error {
	if t.control != nil {
		t.control.Close()
	}
	if err := t.process.Process.Kill(); err != nil {
		return err
	}
	t.process.Wait() // says that it was killed
	return nil
}
