package sasl

import (
	"net"
	"strconv"
)

func addr(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// mostShown bounds what is shown of a text that somebody else wrote, in bytes.
const mostShown = 300

// shown returns a stranger's text quoted, and cut.
func shown(text string) string {
	if len(text) > mostShown {
		return strconv.Quote(text[:mostShown]) + "…"
	}
	return strconv.Quote(text)
}
