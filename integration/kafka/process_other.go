//go:build !unix

package kafka

import (
	"errors"
	"os"
	"syscall"
)

// terminating are the signals by which a user ends a program.
var terminating = []os.Signal{os.Interrupt}

func ownGroup() *syscall.SysProcAttr { return nil }

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}

// interrupt has no gentler way here: a JVM without a console hears no signal.
func interrupt(p *os.Process) error { return p.Kill() }

func freeze(*os.Process) error { return errors.ErrUnsupported }
func thaw(*os.Process) error   { return errors.ErrUnsupported }
