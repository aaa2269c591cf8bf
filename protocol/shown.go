package protocol

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxShown is how many characters of a name are shown: a host name has 255 at most, a topic's 249.
	maxShown = 255
	// maxShownText is how many are of a message.
	maxShownText = 1000
)

// Shown returns a name that comes from the network, as it may be shown to people: as it is, if it consists of printable
// characters, none of them a space or a quote, and is not too long; else quoted, and cut. A host name may hold anything: what
// sets the title of a terminal, a line of a log that was never logged, a megabyte.
func Shown(name string) string {
	if len(name) <= maxShown && name != "" && strings.IndexFunc(name, odd) < 0 && utf8.ValidString(name) {
		return name
	}
	return Quoted(name)
}

func odd(r rune) bool { return r == ' ' || r == '"' || !unicode.IsPrint(r) }

// Quoted is Shown for what is to be in quotes always, such as what a broker says.
func Quoted(s string) string {
	short, rest := cut(s, maxShown)
	if rest == 0 {
		return strconv.Quote(short)
	}
	return strconv.Quote(short) + "… (" + strconv.Itoa(rest) + " bytes more)"
}

// ShownText is for text that has names from the network in it, such as the error of a resolver. It is not quoted: characters
// that do not print are escaped, and it is cut if it is very long.
func ShownText(s string) string {
	short, rest := cut(s, maxShownText)
	if strings.IndexFunc(short, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) >= 0 {
		var b strings.Builder
		for i, r := range short {
			switch {
			case r == utf8.RuneError:
				b.WriteString(escaped(short[i:]))
			case unicode.IsPrint(r):
				b.WriteRune(r)
			default:
				b.WriteString(escaped(string(r)))
			}
		}
		short = b.String()
	}
	if rest > 0 {
		short += "… (" + strconv.Itoa(rest) + " bytes more)"
	}
	return short
}

// escaped is the first character of s as it would be in quotes.
func escaped(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	quoted := strconv.Quote(s[:n])
	return quoted[1 : len(quoted)-1]
}

// cut returns the first n characters of s, and how many bytes are left.
func cut(s string, n int) (short string, rest int) {
	if len(s) <= n {
		return s, 0
	}
	for i := range s {
		if n == 0 {
			return s[:i], len(s) - i
		}
		n--
	}
	return s, 0
}
