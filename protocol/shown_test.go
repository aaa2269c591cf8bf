package protocol

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestWhatComesFromTheNetworkIsShownQuotedAndBounded(t *testing.T) {
	long := strings.Repeat("x", 32<<10)
	for _, test := range []struct{ in, shown, text string }{
		{"kafka-1.example.org:9092", "kafka-1.example.org:9092", "kafka-1.example.org:9092"},
		{"[::1]:9092", "[::1]:9092", "[::1]:9092"},
		{"bücher.example:9092", "bücher.example:9092", "bücher.example:9092"},
		{"", `""`, ""},
		{"a host:1", `"a host:1"`, "a host:1"},
		{"\x1b]0;owned\a", `"\x1b]0;owned\a"`, `\x1b]0;owned\a`},
		{"a\r\nlevel=ERROR msg=forged", `"a\r\nlevel=ERROR msg=forged"`, `a\r\nlevel=ERROR msg=forged`},
		{"\xff\u202egnp", `"\xff\u202egnp"`, `\xff\u202egnp`},
		{"\ufffd", "\ufffd", "\ufffd"},
		{long, `"` + long[:255] + `"… (32513 bytes more)`, long[:1000] + "… (31768 bytes more)"},
		{strings.Repeat("é", 300), `"` + strings.Repeat("é", 255) + `"… (90 bytes more)`, strings.Repeat("é", 300)},
	} {
		if got := Shown(test.in); got != test.shown {
			t.Errorf("Shown(%.40q) = %.80s, want %.80s", test.in, got, test.shown)
		}
		if got := ShownText(test.in); got != test.text {
			t.Errorf("ShownText(%.40q) = %.80s, want %.80s", test.in, got, test.text)
		}
	}
}

func FuzzShown(f *testing.F) {
	f.Add("kafka:9092")
	f.Add("\x1b[2J\xff\xfe")
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{Shown(s), Quoted(s), ShownText(s)} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }) || len(got) > 12*maxShownText {
				t.Errorf("%q is shown as %q", s, got)
			}
		}
	})
}
