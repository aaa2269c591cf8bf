package lines

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Unescape replaces \t, \n, \r, \0, \\ and \xHH, as a shell does not pass these characters on easily.
func Unescape(text string) (string, error) {
	var b strings.Builder
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, `\`)
		b.WriteString(before)
		if !found {
			break
		}
		if after == "" {
			return "", fmt.Errorf(`ends in a single \; write \\`)
		}
		rest = after[1:]
		switch c := after[0]; c {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case '0':
			b.WriteByte(0)
		case '\\':
			b.WriteByte('\\')
		case 'x':
			if len(rest) < 2 {
				return "", fmt.Errorf(`\x wants two hexadecimal digits`)
			}
			n, err := strconv.ParseUint(rest[:2], 16, 8)
			if err != nil {
				return "", fmt.Errorf(`\x%s: want two hexadecimal digits`, rest[:2])
			}
			b.WriteByte(byte(n))
			rest = rest[2:]
		default:
			return "", fmt.Errorf(`\%c is not known; there are \t \n \r \0 \xHH and \\`, c)
		}
	}
	return b.String(), nil
}

// Header reads the k=v of -H; without the = its value is null.
func Header(text string) (producer.Header, error) {
	key, value, found := strings.Cut(text, "=")
	if key == "" {
		return producer.Header{}, fmt.Errorf("-H %s: a header needs a name: k=v", protocol.Quoted(text))
	}
	h := producer.Header{Key: key}
	if found {
		h.Value = []byte(value)
	}
	return h, nil
}
