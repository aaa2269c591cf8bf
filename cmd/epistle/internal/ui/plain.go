package ui

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxText  = 8 << 10 // bytes of a message
	maxPlain = 500     // bytes of a name
)

// Text makes a stranger's text fit to be shown: characters that command a terminal, or cannot be seen, are escaped, except
// newlines, and a long text is cut.
func Text(text string) string { return escape(text, maxText, true) }

// Plain is Text for a name, in one line.
func Plain(text string) string { return escape(text, maxPlain, false) }

// Excerpt returns the beginning of a line that has n bytes. text is the line, or its beginning. whole says that the excerpt is
// the whole line, unchanged.
func Excerpt(text []byte, n int64, most int) (excerpt string, whole bool) {
	if len(text) > most {
		text = text[:most]
	}
	excerpt = escape(string(text), 4*most, false)
	if int64(len(text)) < n {
		return fmt.Sprintf("%s… (%s bytes)", excerpt, Count(n)), false
	}
	return excerpt, excerpt == string(text)
}

// escape escapes characters that do not print, and cuts the text to most bytes.
func escape(text string, most int, newlines bool) string {
	if len(text) <= most && clean(text, newlines) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		if b.Len() >= most {
			fmt.Fprintf(&b, "… (%s more)", Number(int64(len(text)-i), "byte"))
			break
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case printable(r, newlines):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// clean reports whether all of a text can be printed as it is.
func clean(text string, newlines bool) bool {
	for _, r := range text {
		if r == utf8.RuneError || !printable(r, newlines) {
			return false
		}
	}
	return true
}

func printable(r rune, newlines bool) bool {
	return unicode.IsPrint(r) || newlines && (r == '\n' || r == '\t')
}

// Line is Text in one line.
func Line(text string) string { return escape(text, maxText, false) }

// Harmless is Text of any length.
func Harmless(text string) string { return escape(text, len(text)*6+1, true) }

// OneLine wraps an error, so that its text is one line, and cut if it is long.
func OneLine(err error) error { return &oneLine{err} }

const maxOneLine = 2000 // bytes

type oneLine struct{ err error }

func (e *oneLine) Error() string { return escape(e.err.Error(), maxOneLine, false) }

func (e *oneLine) Unwrap() error { return e.err }
