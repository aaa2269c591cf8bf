// Package admin asks a cluster what the producer does not: whether it can be reached, to create a topic, and how far the
// logs go. It is made for a command line that asks a few questions, one at a time, each on a connection of its own.
package admin
