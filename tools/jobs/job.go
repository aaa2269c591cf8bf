//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A job is one command. The loop of run owns all of it but the process and its output.
type job struct {
	command string
	pid     int // of the process, its group and its session; 0 if it could not be started

	step    string       // the name of the present one, "" before the first
	said    bytes.Buffer // since the step has begun
	cut     bool         // the beginning of said is gone
	midline bool         // what was taken last has no end yet
}

// An event is that a job has said something, or has ended.
type event struct {
	job    *job
	text   string // a line with its end, or a part of one
	ended  bool
	status int
}

// start starts a command. Its last event is its end.
func start(command string, events chan<- event) *job {
	j := &job{command: command}
	if err := j.launch(events); err != nil {
		go func() { // ends with the second event
			events <- event{job: j, text: fmt.Sprintf("%s: %v\n", command, err)}
			events <- event{job: j, ended: true, status: 127}
		}()
	}
	return j
}

func (j *job) launch(events chan<- event) error {
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer in.Close()
	cmd := exec.Command("sh", "-c", j.command)
	cmd.Stdout, cmd.Stderr = in, in
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env = append(os.Environ(), "OWN_SESSION=true") // scripts/test.sh sets what concerns a session, in one of its own only
	if err := cmd.Start(); err != nil {
		out.Close()
		return err
	}
	j.pid = cmd.Process.Pid
	heard := make(chan struct{}) // closed when all is heard
	go func() {                  // ends with the pipe
		j.listen(out, events)
		close(heard)
	}()
	go func() { // ends with the process
		status := exitStatus(cmd.Wait())
		// A process that the command has left behind may hold the pipe open for ever.
		_ = out.SetReadDeadline(time.Now().Add(time.Second))
		<-heard
		out.Close()
		events <- event{job: j, ended: true, status: status}
	}()
	return nil
}

// listen passes on what is said.
func (j *job) listen(out io.Reader, events chan<- event) {
	lines := bufio.NewReaderSize(out, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			events <- event{job: j, text: string(line)}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// exitStatus is the one that a shell would tell.
func exitStatus(err error) int {
	if err == nil {
		return 0
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 1
	}
	if how := exit.Sys().(syscall.WaitStatus); how.Signaled() {
		return 128 + int(how.Signal())
	}
	return exit.ExitCode()
}

// kill sends a signal to all processes of the group. There may be none any more.
func (j *job) kill(s syscall.Signal) {
	if j.pid != 0 {
		_ = syscall.Kill(-j.pid, s)
	}
}

// mark begins the lines with which a step begins and ends.
const mark = "── "

// mostKept bounds how many bytes of a step's output are kept. The end is kept, since it tells of a failure.
const mostKept = 4 << 20

// take takes a piece of output. The line with which a step begins is printed at once, unless quiet, after all of the step
// before.
func (j *job) take(to io.Writer, text string, quiet bool) {
	if name, ok := begun(text); ok && !j.midline && !quiet {
		j.print(to)
		io.WriteString(to, text)
		j.step = name
	} else {
		j.said.WriteString(text)
		if over := j.said.Len() - mostKept; over > 0 {
			j.said.Next(over)
			j.cut = true
		}
	}
	j.midline = !strings.HasSuffix(text, "\n")
}

// begun is the name of the step that a line begins.
func begun(line string) (name string, ok bool) {
	line, ok = strings.CutPrefix(line, mark)
	if !ok {
		return "", false
	}
	name, _, ok = strings.Cut(line, " …")
	return name, ok
}

// name names the job in messages.
func (j *job) name() string {
	if j.step == "" {
		return j.command
	}
	return j.step
}

// print prints the output of the step, in one piece, below its name. A step that has only said how it ended has its name in
// that line.
func (j *job) print(to io.Writer) {
	var all bytes.Buffer
	end := mark + j.step + ": "
	if said := j.said.Bytes(); !bytes.HasPrefix(said, []byte(end)) || bytes.Count(said, []byte("\n")) > 1 {
		if len(said) > 0 && j.step != "" {
			fmt.Fprintf(&all, "%s%s:\n", mark, j.step)
		}
		if j.cut {
			fmt.Fprintf(&all, "[the last %d bytes of what it said]\n", mostKept)
		}
	}
	j.said.WriteTo(&all)
	if j.midline {
		all.WriteByte('\n')
	}
	all.WriteTo(to)
	j.cut = false
}
