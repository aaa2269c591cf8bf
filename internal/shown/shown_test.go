package shown

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestTextsOfOthersAreQuotedAndBounded(t *testing.T) {
	long := strings.Repeat("x", 32<<10)
	for _, test := range []struct{ in, name, text string }{
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
		if got := Name(test.in); got != test.name {
			t.Errorf("Name(%.40q) = %.80s, want %.80s", test.in, got, test.name)
		}
		if got := Text(test.in); got != test.text {
			t.Errorf("Text(%.40q) = %.80s, want %.80s", test.in, got, test.text)
		}
	}
	if got, want := Value("a b\n"+long), `a b\n`+long[:251]+"… (32517 bytes more)"; got != want {
		t.Errorf("Value: got %.80s, want %.80s", got, want)
	}
}

// A URL is shown without the parts that people put secrets into.
func TestURLsAreShownWithoutSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"https://login.example.com/token":                                   "https://login.example.com/token",
		"https://me:hunter2@login.example.com/token?secret=hunter2#hunter2": "https://login.example.com/token",
		"file:///run/token":                                                 "file:///run/token",
		"http://\x1b[31mhunter2/":                                           "a URL that is wrong",
		"mailto:hunter2":                                                    "a URL that is wrong",
		"https://h/" + strings.Repeat("a", 300):                             `"https://h/` + strings.Repeat("a", 245) + `"… (55 bytes more)`,
	} {
		if got := URL(in); got != want {
			t.Errorf("%q is shown as %s, want %s", in, got, want)
		}
	}
}

func FuzzShown(f *testing.F) {
	f.Add("kafka:9092")
	f.Add("\x1b[2J\xff\xfe")
	f.Add("https://a:b@c/d?e")
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{Name(s), Quoted(s), Value(s), Text(s), URL(s)} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }) || len(got) > 12*maxText {
				t.Errorf("%q is shown as %q", s, got)
			}
		}
	})
}
