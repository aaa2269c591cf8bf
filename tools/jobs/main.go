//go:build unix

// Jobs runs command lines of the shell side by side, each in a session of its own:
//
//	jobs [-meanwhile COMMAND]… COMMAND… [-then COMMAND…]…
//
// The commands of a stage run side by side. -then begins the next stage: its commands begin when all of the stage before have
// ended. A command behind -meanwhile begins at once, whatever stage is on, and holds no stage up.
//
//	go -C tools build -o ../bin/jobs ./jobs
//	bin/jobs -meanwhile 'sh scripts/test.sh beside builds' 'sh scripts/test.sh beside unit' -then 'sh scripts/test.sh beside on_first'
//
// Their output comes in steps, which begin with a line such as "── vet … (usually 1 min)"; scripts/lib.sh writes these. That
// line is printed at once, and the output of the step when it has ended, as a whole. So steps that run side by side do not mix.
//
// The first command that fails ends the others. The output of its last step is printed last, and its exit status is that of
// jobs. SIGINT, SIGTERM and SIGHUP end all commands, with what they have started in their sessions.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

func main() {
	p, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "jobs: %v\nusage: jobs [-meanwhile COMMAND]… COMMAND… [-then COMMAND…]…\n", err)
		os.Exit(2)
	}
	signals := make(chan os.Signal, 1) // the first ends everything; the others say nothing new
	// A shell makes commands in the background ignore SIGINT. Notify makes our commands take notice of it again.
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as it is under nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	os.Exit(run(os.Stdout, p, signals, 5*time.Second))
}

// A plan is what to run, and when.
type plan struct {
	meanwhile []string   // from the beginning on, beside every stage
	stages    [][]string // one after the other, none of them empty; the commands of one side by side
}

func parse(arguments []string) (p plan, err error) {
	var stage []string
	for i := 0; i < len(arguments); i++ {
		switch arguments[i] {
		case "-meanwhile":
			if i++; i == len(arguments) {
				return plan{}, errors.New("no command is behind -meanwhile")
			}
			p.meanwhile = append(p.meanwhile, arguments[i])
		case "-then":
			if len(stage) == 0 {
				return plan{}, errors.New("no command is before -then")
			}
			p.stages, stage = append(p.stages, stage), nil
		default:
			stage = append(stage, arguments[i])
		}
	}
	if len(stage) == 0 {
		return plan{}, errors.New("the last stage has no command")
	}
	p.stages = append(p.stages, stage)
	return p, nil
}

// run runs the commands, and returns the exit status. Those that have to end get the next of endings each time that patience
// has passed.
func run(to io.Writer, p plan, signals <-chan os.Signal, patience time.Duration) int {
	r := &runner{to: to, patience: patience, events: make(chan event), later: p.stages}
	for _, command := range p.meanwhile {
		r.running = append(r.running, start(command, r.events))
	}
	r.next()
	for len(r.running) > 0 {
		select {
		case e := <-r.events:
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
		case <-r.pressing:
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
	events   chan event // no buffer: who says much waits until that is taken
	running  []*job
	stage    []*job     // those of the present stage that run
	later    [][]string // the stages that have not begun
	status   int
	failed   *job // the first that has, unless a signal came before

	ending   bool             // nothing more is printed as it comes, and nothing begins
	pushed   []*job           // those that were running then
	sent     int              // how many of endings they have got
	pressing <-chan time.Time // for the next; nil if there is none
}

// next begins the next stage, if there is one.
func (r *runner) next() {
	if len(r.later) == 0 {
		return
	}
	for _, command := range r.later[0] {
		r.stage = append(r.stage, start(command, r.events))
	}
	r.running = append(r.running, r.stage...)
	r.later = r.later[1:]
}

// endings are the signals that end jobs, one after the other. At the first the go command removes what it has built in a
// temporary directory.
var endings = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL}

// ended notes that a job has ended.
func (r *runner) ended(j *job, status int) {
	this := func(other *job) bool { return other == j }
	inStage := slices.ContainsFunc(r.stage, this)
	r.running, r.stage = slices.DeleteFunc(r.running, this), slices.DeleteFunc(r.stage, this)
	switch {
	case r.ending:
	case status == 0:
		j.print(r.to)
		if inStage && len(r.stage) == 0 {
			r.next()
		}
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
	r.pressing = nil
	if r.sent < len(endings) {
		r.pressing = time.After(r.patience)
	}
}

// sweep ends what the ended jobs have left behind.
func (r *runner) sweep() {
	for _, j := range r.pushed {
		j.kill(syscall.SIGKILL)
	}
}
