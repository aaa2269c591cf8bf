package kafka

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
)

// reaper is a second process of the running program, which waits for the end of the first and then
// kills and removes what that left behind: broker processes, directories, and the containers and networks
// that bear a label. It learns of the end by its standard input, which closes whatever ended the first process, a SIGKILL or
// a test's timeout included. It is started with the first thing that is entrusted to it.
//
// Each line it reads is "+" or "-", a sort and a name: "+pid 123" entrusts, "-pid 123" takes back.
type reaper struct {
	mu    sync.Mutex // guards the following
	input io.Writer
}

// reaperVariable in the environment makes a program that imports this package a reaper.
const reaperVariable = "EPISTLE_KAFKA_REAPER"

var theReaper reaper

func init() {
	if os.Getenv(reaperVariable) != "" {
		reap(os.Stdin)
		os.Exit(0)
	}
}

// entrust has the thing removed at the end of this process, until release is called with the same.
func (r *reaper) entrust(sort, name string) error { return r.tell("+" + sort + " " + name) }

func (r *reaper) release(sort, name string) { _ = r.tell("-" + sort + " " + name) }

func (r *reaper) tell(line string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.input == nil {
		input, err := startReaper()
		if err != nil {
			return fmt.Errorf("the process that cleans up: %w", err)
		}
		r.input = input
	}
	_, err := fmt.Fprintln(r.input, line)
	return err
}

func startReaper() (io.Writer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), reaperVariable+"=1")
	cmd.Dir = os.TempDir() // ours may be removed before it ends
	cmd.SysProcAttr = ownGroup()
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return input, cmd.Start() // never waited for: it outlives us
}

// reap is the whole life of the second process.
func reap(input io.Reader) {
	signal.Ignore(terminating...)
	var order []string // the last entrusted goes first: a broker before its directory
	held := make(map[string]bool)
	for lines := bufio.NewScanner(input); lines.Scan(); {
		if thing, ok := strings.CutPrefix(lines.Text(), "+"); ok {
			held[thing] = true
			order = append(order, thing)
		} else if thing, ok := strings.CutPrefix(lines.Text(), "-"); ok {
			held[thing] = false
		}
	}
	for i := len(order) - 1; i >= 0; i-- {
		if thing := order[i]; held[thing] {
			held[thing] = false
			remove(thing)
		}
	}
}

// remove ends one thing. Nobody is left to be told of an error.
func remove(thing string) {
	sort, name, _ := strings.Cut(thing, " ")
	switch sort {
	case "pid":
		if pid, err := strconv.Atoi(name); err == nil {
			killGroup(pid)
		}
	case "dir":
		_ = os.RemoveAll(name)
	case "marked":
		sweepDocker(name)
	}
}
