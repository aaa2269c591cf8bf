// Package admin does what the producer does not: it checks whether a cluster can be reached, creates a topic, and asks how far
// the logs go. It is made for a command line that asks a few questions, one at a time, each on a connection of its own.
package admin
