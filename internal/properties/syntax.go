package properties

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Property is one logical line of a .properties file.
type Property struct {
	Line       int // where it starts, from 1; 0 if it is not from a file
	Key, Value string
}

// MaxSize bounds a file, in bytes. It leaves ample room for certificates that are stated inline.
const MaxSize = 4 << 20

// Parse splits data as java.util.Properties.load does. Bytes are UTF-8, or ISO-8859-1 if they are not valid UTF-8. A broken \u
// escape is a problem, as it is an exception in Java, and so is text in UTF-16; nothing else in this syntax can be wrong.
func Parse(data []byte) ([]Property, []Problem) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, []Problem{{Line: 1, Key: "file", Value: Hidden, Rule: "is text in UTF-16: save it in UTF-8"}}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	text := string(data)
	if !utf8.ValidString(text) {
		text = latin1(data)
	}
	var props []Property
	var problems []Problem
	s := lineScanner{rest: text}
	for s.next() {
		rawKey, rawValue := cutProperty(s.logical)
		key, err := unescape(rawKey)
		value := ""
		if err == nil {
			value, err = unescape(rawValue)
		}
		if err != nil {
			problems = append(problems, Problem{Line: s.start, Key: rawKey, Value: Hidden, Rule: err.Error()})
			continue
		}
		props = append(props, Property{Line: s.start, Key: key, Value: value})
	}
	return props, problems
}

func latin1(data []byte) string {
	var b strings.Builder
	for _, c := range data {
		b.WriteRune(rune(c))
	}
	return b.String()
}

// lineScanner yields logical lines: natural lines without comments and blank ones, joined where one ends in an odd number of
// backslashes.
type lineScanner struct {
	rest    string
	line    int    // natural lines consumed
	logical string // the current logical line, without leading white space, escapes still in place
	start   int    // where it starts, from 1
}

func (s *lineScanner) next() bool {
	for s.rest != "" {
		natural := strings.TrimLeft(s.natural(), propertySpace)
		if natural == "" || natural[0] == '#' || natural[0] == '!' {
			continue
		}
		s.start = s.line
		s.logical = natural
		if !continues(natural) {
			return true
		}
		var b strings.Builder
		for continues(natural) {
			b.WriteString(natural[:len(natural)-1])
			if s.rest == "" {
				natural = ""
				break
			}
			natural = strings.TrimLeft(s.natural(), propertySpace)
			// A backslash before anything was said joins nothing: Java then takes a comment for a comment.
			for b.Len() == 0 && s.rest != "" && (natural == "" || natural[0] == '#' || natural[0] == '!') {
				natural = strings.TrimLeft(s.natural(), propertySpace)
			}
		}
		b.WriteString(natural)
		s.logical = b.String()
		return true
	}
	return false
}

// natural takes one natural line, which \n, \r or \r\n ends.
func (s *lineScanner) natural() string {
	s.line++
	i := strings.IndexAny(s.rest, "\r\n")
	if i < 0 {
		line := s.rest
		s.rest = ""
		return line
	}
	line := s.rest[:i]
	if strings.HasPrefix(s.rest[i:], "\r\n") {
		i++
	}
	s.rest = s.rest[i+1:]
	return line
}

const propertySpace = " \t\f"

func continues(line string) bool {
	n := len(line) - len(strings.TrimRight(line, `\`))
	return n%2 == 1
}

// cutProperty cuts a logical line at the first white space, '=' or ':' that is not escaped. White space around one '=' or ':'
// belongs to neither side; white space at the end belongs to the value.
func cutProperty(line string) (key, value string) {
	end := len(line)
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
			continue
		}
		if strings.IndexByte("=: \t\f", line[i]) >= 0 {
			end = i
			break
		}
	}
	value = strings.TrimLeft(line[end:], propertySpace)
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], propertySpace)
	}
	return line[:end], value
}

// unescape resolves \t \n \r \f and \uXXXX, which counts UTF-16 units; any other escaped character is itself.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i == len(s) {
			break // Java drops a backslash at the very end
		}
		switch c := s[i]; c {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			unit, err := hexUnit(s[i+1:])
			if err != nil {
				return "", err
			}
			i += 4
			r := rune(unit)
			if utf16.IsSurrogate(r) && strings.HasPrefix(s[i+1:], `\u`) {
				if low, err := hexUnit(s[i+3:]); err == nil {
					if pair := utf16.DecodeRune(r, rune(low)); pair != utf8.RuneError {
						r = pair
						i += 6
					}
				}
			}
			b.WriteRune(r) // a lone surrogate becomes U+FFFD: UTF-8 has no form for it
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func hexUnit(s string) (uint16, error) {
	if len(s) >= 4 && !strings.ContainsAny(s[:4], "+-_") {
		if n, err := strconv.ParseUint(s[:4], 16, 16); err == nil {
			return uint16(n), nil
		}
	}
	return 0, fmt.Errorf(`has \u without four hexadecimal digits after it; a backslash is written \\`)
}
