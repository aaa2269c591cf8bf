//go:build unix

package main

import (
	"os"
	"syscall"
)

// forwarded are the signals that the command gets when withkafka does.
var forwarded = []os.Signal{
	syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT,
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH,
}

// ending says whether a signal asks a program to end.
func ending(s os.Signal) bool {
	switch s {
	case syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT:
		return true
	}
	return false
}

// signalStatus is what a shell reports of a program that the signal ended.
func signalStatus(s os.Signal) int { return 128 + int(s.(syscall.Signal)) }

func exitStatus(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return signalStatus(status.Signal())
	}
	return state.ExitCode()
}
