package sasl

import (
	"net"
	"strconv"

	"github.com/epistle-kafka/epistle/internal/shown"
)

func addr(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// Quoted returns a text that somebody else wrote, such as a broker or the author of properties, as an error may show it: in
// quotes, with what does not print escaped, and cut after 255 characters. It is for mechanisms of other modules.
func Quoted(text string) string { return shown.Quoted(text) }
