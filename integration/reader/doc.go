// Package reader says what a cluster really holds. It reads and changes topics with franz-go, a client
// that shares no code with this library, so that a mistake of ours cannot cancel itself out.
package reader
