// Package shown makes texts that others wrote fit to be shown to people: what brokers and token endpoints say, what stands in
// files and on command lines. Each result is bounded, is valid UTF-8, and has no character that does not print. So nothing sets
// the title of a terminal, forges a line of a log, or fills a screen.
//
// It does not recognise secrets: the caller decides whether a text may be shown.
package shown

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxName is how many characters of a name or a value are shown: a host name has 255 at most, a topic's 249.
	maxName = 255
	// maxText is how many are of a message.
	maxText = 1000
)

// Name returns a name unchanged if it consists of printable characters, none of them a space or a quote, and is not too long.
// Otherwise it is quoted, and cut.
func Name(name string) string {
	if len(name) <= maxName && name != "" && strings.IndexFunc(name, odd) < 0 && utf8.ValidString(name) {
		return name
	}
	return Quoted(name)
}

func odd(r rune) bool { return r == ' ' || r == '"' || !unicode.IsPrint(r) }

// Quoted is Name with quotes in any case, for texts such as a broker's message.
func Quoted(s string) string {
	short, rest := cut(s, maxName)
	return strconv.Quote(short) + more(rest)
}

// Value is for what stands in a setting. It is not quoted: characters that do not print are escaped, and it is cut as a name
// is.
func Value(s string) string { return escapedAndCut(s, maxName) }

// Text is for a message that has the words of others in it. It is not quoted: characters that do not print are escaped, and it
// is cut if it is very long.
func Text(s string) string { return escapedAndCut(s, maxText) }

// URL is Name for a URL, without the parts that may hold secrets: its user, and all behind the path.
func URL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return "a URL that is wrong"
	}
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return Name(bare.String())
}

func escapedAndCut(s string, most int) string {
	short, rest := cut(s, most)
	if strings.IndexFunc(short, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) < 0 {
		return short + more(rest)
	}
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
	return b.String() + more(rest)
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

// more says how much was left out, if anything was.
func more(bytes int) string {
	if bytes == 0 {
		return ""
	}
	return "… (" + strconv.Itoa(bytes) + " bytes more)"
}
