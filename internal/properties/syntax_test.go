package properties

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/epistle-kafka/epistle/internal/vectors"
)

func parsed(t *testing.T, data string) (map[string]string, []Problem) {
	t.Helper()
	props, problems := Parse([]byte(data))
	m := map[string]string{}
	for _, p := range props {
		m[p.Key] = p.Value
	}
	return m, problems
}

// A producer.properties must mean to us what it means to java.util.Properties, however it is written.
func TestPropertiesSyntaxIsJavas(t *testing.T) {
	type row struct {
		Input      string
		Properties map[string]string
		Error      string
	}
	for _, row := range vectors.Read[row](t, "../../producer/testdata/java-properties.json") {
		got, problems := parsed(t, row.Input)
		if row.Error != "" {
			if len(problems) == 0 {
				t.Errorf("%q: got %q, want a problem, as Java has (%s)", row.Input, got, row.Error)
			}
			continue
		}
		if len(problems) > 0 {
			t.Errorf("%q: got problem %v, want %q", row.Input, problems, row.Properties)
		}
		if !maps.Equal(got, row.Properties) {
			t.Errorf("%q:\n got %q\nwant %q", row.Input, got, row.Properties)
		}
	}
}

// Java reads bytes as ISO-8859-1; people write UTF-8. Both come out as meant.
func TestPropertiesEncodings(t *testing.T) {
	for name, data := range map[string]string{
		"UTF-8":          "client.id=grün",
		"UTF-8 with BOM": "\ufeffclient.id=grün",
		"ISO-8859-1":     "client.id=gr\xfcn",
		"escaped":        `client.id=gr\u00fcn`,
	} {
		if got, _ := parsed(t, data); got["client.id"] != "grün" {
			t.Errorf("%s: got %q, want client.id grün", name, got)
		}
	}
}

func TestPropertiesKnowTheirLine(t *testing.T) {
	props, problems := Parse([]byte("# one\r\na=1\r\n\r\nb=2\\\r\n  3\r\nc=\\u12\r\nd=4"))
	var lines []int
	for _, p := range props {
		lines = append(lines, p.Line)
	}
	if want := []int{2, 4, 7}; !slices.Equal(lines, want) {
		t.Errorf("lines: got %v, want %v", lines, want)
	}
	if len(problems) != 1 || problems[0].Line != 6 || problems[0].Key != "c" {
		t.Errorf("problems: got %v, want one in line 6, of c", problems)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "a=b", "a=b\\\n  c", "\\u0061:\\uD83D\\uDE00", "# c\\\nx", "a\\=b c", "\\\n\\\n#", "k=\xff\xfe"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		props, problems := Parse(data)
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
		last := 0
		for _, p := range props {
			if p.Line <= last || p.Line > lines {
				t.Fatalf("%q: line %d after line %d, of %d", data, p.Line, last, lines)
			}
			last = p.Line
			if !utf8.ValidString(p.Key) || !utf8.ValidString(p.Value) {
				t.Fatalf("%q: %q = %q is not UTF-8", data, p.Key, p.Value)
			}
		}
		if len(props)+len(problems) > lines {
			t.Fatalf("%q: %d properties and %d problems of %d lines", data, len(props), len(problems), lines)
		}
		// What was read, written back in the plainest way, reads as the same.
		again, _ := Parse([]byte("#\n" + written(props))) // or a BOM could be taken off
		if !slices.EqualFunc(props, again, func(a, b Property) bool { return a.Key == b.Key && a.Value == b.Value }) {
			t.Fatalf("%q:\n got %v\nthen %v", data, props, again)
		}
	})
}

func written(props []Property) string {
	var b strings.Builder
	escape := func(s string) {
		for _, c := range s {
			switch {
			case c == '\n':
				b.WriteString(`\n`)
			case c == '\r':
				b.WriteString(`\r`)
			case strings.ContainsRune(" \t\f=:#!\\", c):
				b.WriteString(`\`)
				fallthrough
			default:
				b.WriteRune(c)
			}
		}
	}
	for _, p := range props {
		escape(p.Key)
		b.WriteByte('=')
		escape(p.Value)
		b.WriteByte('\n')
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), "\\\t", `\t`), "\\\f", `\f`)
}
