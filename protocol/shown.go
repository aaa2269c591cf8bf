package protocol

import "github.com/epistle-kafka/epistle/internal/shown"

// Shown returns a name that comes from the network in a form that may be shown to people. It is unchanged if it consists of
// printable characters, none of them a space or a quote, and is not too long. Otherwise it is quoted, and cut. A host name may
// hold anything: a sequence that sets the title of a terminal, a forged line of a log, a megabyte.
func Shown(name string) string { return shown.Name(name) }

// Quoted is Shown with quotes in any case, for texts such as a broker's message.
func Quoted(s string) string { return shown.Quoted(s) }

// ShownText is for text that contains names from the network, such as the error of a resolver. It is not quoted. Characters
// that do not print are escaped, and a very long text is cut.
func ShownText(s string) string { return shown.Text(s) }
