package properties

import "strings"

// jaasKind is the kind of a token. Java's clients split a JAAS entry with a java.io.StreamTokenizer, which was made for other
// things. These are its rules.
type jaasKind uint8

const (
	jaasEnd         jaasKind = iota
	jaasWord                 // begins with a letter, _, $, or a character from U+00A0 on; digits, dots and dashes may follow
	jaasQuoted               // in " or '
	jaasNumber               // begins with a digit, a dot or a dash, and is nothing that Java would take
	jaasMark                 // any other single character
	jaasOpenQuote            // a quote that does not end
	jaasOpenLine             // a quote that does not end in its line
	jaasOpenComment          // a comment that does not end
)

type jaasToken struct {
	kind  jaasKind
	at    int    // its first character, from 1
	value string // of a word or a quoted text, its escapes resolved
	mark  rune   // the character, or the quote
}

// text reports whether Java takes the token for a text.
func (t jaasToken) text() bool { return t.kind == jaasWord || t.kind == jaasQuoted }

type jaasScanner struct {
	text []rune
	pos  int
}

// peek returns the character that is n further on, or -1.
func (s *jaasScanner) peek(n int) rune {
	if s.pos+n >= len(s.text) {
		return -1
	}
	return s.text[s.pos+n]
}

func (s *jaasScanner) next() jaasToken {
	if at := s.skip(); at > 0 {
		return jaasToken{kind: jaasOpenComment, at: at}
	}
	begin := s.pos
	token := jaasToken{at: begin + 1, mark: s.peek(0)}
	switch c := token.mark; {
	case c < 0:
	case isJAASDigit(c):
		token.kind = jaasNumber
		for isJAASDigit(s.peek(0)) {
			s.pos++
		}
	case isJAASLetter(c):
		token.kind = jaasWord
		for isJAASLetter(s.peek(0)) || isJAASDigit(s.peek(0)) {
			s.pos++
		}
		token.value = string(s.text[begin:s.pos])
	case c == '"' || c == '\'':
		s.pos++
		token.kind, token.value = s.quoted(c)
	default:
		token.kind = jaasMark
		s.pos++
	}
	return token
}

// skip skips white space and comments. It returns where a comment begins that does not end, or 0. A single / begins a comment,
// as // does.
func (s *jaasScanner) skip() (open int) {
	for {
		c := s.peek(0)
		switch {
		case c >= 0 && c <= ' ':
			s.pos++
		case c == '/' && s.peek(1) == '*':
			begin := s.pos
			for s.pos += 2; s.peek(0) != '*' || s.peek(1) != '/'; s.pos++ {
				if s.peek(0) < 0 {
					return begin + 1
				}
			}
			s.pos += 2
		case c == '/':
			for s.peek(0) >= 0 && !isNewline(s.peek(0)) {
				s.pos++
			}
		default:
			return 0
		}
	}
}

// quoted reads up to the closing quote.
func (s *jaasScanner) quoted(quote rune) (jaasKind, string) {
	var b strings.Builder
	for {
		c := s.peek(0)
		s.pos++
		switch {
		case c < 0:
			return jaasOpenQuote, ""
		case isNewline(c):
			return jaasOpenLine, ""
		case c == quote:
			return jaasQuoted, b.String()
		case c == '\\' && s.peek(0) >= 0:
			c = s.escaped()
		}
		b.WriteRune(c)
	}
}

// escaped reads what follows a backslash: a letter of C, up to three octal digits, or a character that stands for itself.
func (s *jaasScanner) escaped() rune {
	c := s.peek(0)
	s.pos++
	if i := strings.IndexRune("abfnrtv", c); i >= 0 {
		return rune("\a\b\f\n\r\t\v"[i])
	}
	if c < '0' || c > '7' {
		return c
	}
	most := 2
	if c <= '3' {
		most = 3
	}
	n := c - '0'
	for digits := 1; digits < most && s.peek(0) >= '0' && s.peek(0) <= '7'; digits++ {
		n = n*8 + s.peek(0) - '0'
		s.pos++
	}
	return n
}

func isNewline(c rune) bool { return c == '\n' || c == '\r' }

func isJAASDigit(c rune) bool { return c >= '0' && c <= '9' || c == '.' || c == '-' }

func isJAASLetter(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c >= 0xA0
}
