//go:build !unix

package main

import "os"

var forwarded = []os.Signal{os.Interrupt}

func ending(os.Signal) bool { return true }

func signalStatus(os.Signal) int { return 130 }

func exitStatus(state *os.ProcessState) int { return state.ExitCode() }
