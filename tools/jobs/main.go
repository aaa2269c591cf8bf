//go:build unix

// Jobs runs command lines of the shell side by side, each in a session of its own:
//
//	go -C tools build -o /tmp/jobs ./jobs && /tmp/jobs 'sh scripts/test.sh beside unit' 'sh scripts/test.sh beside builds'
//
// Their output comes in steps, which begin with a line such as "── vet … (usually 1 min)"; scripts/lib.sh writes these. That
// line is printed at once, and the output of the step when it has ended, as a whole. So steps that run side by side do not mix.
//
// The first command that fails ends the others. The output of its last step is printed last, and its exit status is that of
// jobs. SIGINT, SIGTERM and SIGHUP end all commands, with what they have started in their sessions.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: jobs COMMAND-LINE…")
		os.Exit(2)
	}
	signals := make(chan os.Signal, 1) // the first ends everything; the others say nothing new
	// A shell makes commands in the background ignore SIGINT. Notify makes our commands take notice of it again.
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as it is under nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	os.Exit(run(os.Stdout, os.Args[1:], signals, 5*time.Second))
}

// run runs the commands, and returns the exit status. Those that have to end get the next of endings each time that patience
// has passed.
func run(to io.Writer, commands []string, signals <-chan os.Signal, patience time.Duration) int {
	events := make(chan event) // no buffer: who says much waits until that is taken
	r := &runner{to: to, patience: patience}
	for _, command := range commands {
		r.running = append(r.running, start(command, events))
	}
	for len(r.running) > 0 {
		select {
		case e := <-events:
			if e.ended {
				r.ended(e.job, e.status)
			} else {
				e.job.take(to, e.text, r.ending)
			}
		case s := <-signals:
			if !r.ending {
				r.status = 128 + int(s.(syscall.Signal))
				r.end()
			}
		case <-r.next:
			r.press()
		}
	}
	r.sweep()
	if r.failed != nil {
		r.failed.print(to)
	}
	return r.status
}

// A runner is what run knows of its jobs.
type runner struct {
	to       io.Writer
	patience time.Duration
	running  []*job
	status   int
	failed   *job // the first that has, unless a signal came before

	ending bool             // nothing more is printed as it comes
	pushed []*job           // those that were running then
	sent   int              // how many of endings they have got
	next   <-chan time.Time // for the next; nil if there is none
}

// endings are the signals that end jobs, one after the other. At the first the go command removes what it has built in a
// temporary directory.
var endings = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL}

// ended notes that a job has ended.
func (r *runner) ended(j *job, status int) {
	r.running = slices.DeleteFunc(r.running, func(other *job) bool { return other == j })
	switch {
	case r.ending:
	case status == 0:
		j.print(r.to)
	default:
		r.failed, r.status = j, status
		r.end()
	}
}

// end ends all jobs that still run.
func (r *runner) end() {
	r.ending, r.pushed = true, slices.Clone(r.running)
	for _, j := range r.pushed {
		fmt.Fprintf(r.to, "%s%s: stopped\n", mark, j.name())
	}
	r.press()
}

// press sends the next of endings, also to those whose leader has ended: its children may go on.
func (r *runner) press() {
	for _, j := range r.pushed {
		j.kill(endings[r.sent])
	}
	r.sent++
	r.next = nil
	if r.sent < len(endings) {
		r.next = time.After(r.patience)
	}
}

// sweep ends what the ended jobs have left behind.
func (r *runner) sweep() {
	for _, j := range r.pushed {
		j.kill(syscall.SIGKILL)
	}
}
