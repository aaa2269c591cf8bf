//go:build !unix

package wire

import "net"

// newUnread returns nil: here no socket can be asked what lies in it.
func newUnread(net.Conn) func() bool { return nil }
