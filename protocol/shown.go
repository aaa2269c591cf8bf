package protocol

import "github.com/epistle-kafka/epistle/internal/shown"

// Shown returns a name that comes from the network, as it may be shown to people: as it is, if it consists of printable
// characters, none of them a space or a quote, and is not too long; else quoted, and cut. A host name may hold anything: what
// sets the title of a terminal, a line of a log that was never logged, a megabyte.
func Shown(name string) string { return shown.Name(name) }

// Quoted is Shown for what is to be in quotes always, such as what a broker says.
func Quoted(s string) string { return shown.Quoted(s) }

// ShownText is for text that has names from the network in it, such as the error of a resolver. It is not quoted: characters
// that do not print are escaped, and it is cut if it is very long.
func ShownText(s string) string { return shown.Text(s) }
