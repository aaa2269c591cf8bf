package app

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
)

// Lines that are sent without the key that they were to have, or with a carriage return, are sent, and told.
func TestLinesThatAreOtherThanTheyShouldBe(t *testing.T) {
	const noKey = ` without the key delimiter ",", and so without a key`
	for _, test := range []struct {
		name, stdin string
		args        []string
		want, not   []string
	}{
		{"the wrong delimiter", "a;1\nb;2\nc;3\n", []string{"-K", ","}, []string{"lines" + noKey + ": 3 of 3 (first: standard input:1)"}, []string{"note: "}},
		{"some lines", "a,1\nb;2\nc,3\n", []string{"-K", ","}, []string{"lines" + noKey + ": 1 of 3 (first: standard input:2)"}, nil},
		{"many lines, at once", strings.Repeat("a;1\n", 30), []string{"-K", ","}, []string{"note: the first 20 lines are" + noKey, noKey + ": 30 of 30"}, nil},
		{"many lines, and one with a key", "a,1\n" + strings.Repeat("a;1\n", 30), []string{"-K", ","}, []string{noKey + ": 30 of 31"}, []string{"note: "}},
		{"a key for those without", "a;1\n", []string{"-K", ",", "-k", "x"}, nil, []string{noKey}},
		{"headers", "a:1;v\n", []string{"--header-delimiter", "|"}, []string{`lines without the header delimiter "|", and so without headers: 1 of 1`}, nil},
		{"ignore.error", "a;1\n", []string{"--property", "parse.key=true", "--property", "ignore.error=true"}, []string{`lines without the key delimiter "\t", and so without a key: 1 of 1`}, nil},
		{"Windows", "a\r\nb\r\nc", nil, []string{"lines with a carriage return before the newline, which is part of the value", `tr -d '\r'`, ": 2 of 3 (first: standard input:1)"}, nil},
		{"all is well", "a,1\n", []string{"-K", ","}, nil, []string{"(first:", "note: "}},
		{"quiet", "a;1\r\n", []string{"-K", ",", "-q"}, nil, []string{"(first:"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, b := brokers(t, brokertest.Topic("t", 1))
			s := epistle(t, 0, test.stdin, append([]string{"produce", "-b", b, "-t", "t"}, test.args...)...)
			s.wantErr(test.want...)
			for _, not := range test.not {
				if strings.Contains(s.stderr.String(), not) {
					t.Errorf("standard error says %q:\n%s", not, s.stderr.String())
				}
			}
			if got, want := count(c, "t"), len(strings.Split(strings.TrimSuffix(test.stdin, "\n"), "\n")); int(got) != want {
				t.Errorf("%d records, want %d", got, want)
			}
		})
	}
}

// With kafka-console-producer's properties a line without the delimiter ends the reading, as there. What came before is sent, and
// the line is handed back.
func TestALineWithoutTheKeyThatIsDemanded(t *testing.T) {
	for name, args := range map[string][]string{"single lines": nil, "transactions": {"--transactional-id", "x"}} {
		t.Run(name, func(t *testing.T) {
			c, b := brokers(t, brokertest.Topic("t", 1))
			failed := t.TempDir() + "/failed.txt"
			args := append([]string{"produce", "-b", b, "-t", "t", "--failed-to", failed, "--property", "parse.key=true", "--property", "key.separator=,"}, args...)
			s := epistle(t, 1, "a,1\nb;2\nc,3\n", args...)
			s.wantErr("reading stopped after 2 lines: ", `line 2 has no key separator ",", which --property parse.key=true demands`, "ignore.error=true", "2 lines read, 1 ")
			if got := logged(c, "t"); len(got) == 0 || got[0] != "a=1" || slices.Contains(got, "c=3") {
				t.Errorf("log = %q, want the line before it alone", got)
			}
			if got := read(t, failed); got != "b;2\n" {
				t.Errorf("undelivered = %q, want the line", got)
			}
		})
	}
	_, b := brokers(t, brokertest.Topic("t", 1))
	epistle(t, 1, "a;1\n", "produce", "-b", b, "-t", "t", "--property", "parse.headers=true").wantErr(`line 1 has no header delimiter "\t", which --property parse.headers=true demands`)
	epistle(t, 0, "a:1\tv\n", "produce", "-b", b, "-t", "t", "--property", "parse.headers=true")
	epistle(t, 0, "a;1\n", "produce", "-b", b, "-t", "t", "--property", "parse.key=true", "-K", ",")
}

// A file in the place of the delimiter is told of: then standard input is read, and nothing says why.
func TestAFileInThePlaceOfTheDelimiter(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("t", 1))
	t.Chdir(t.TempDir())
	for _, name := range []string{"five.txt", ":"} {
		if err := os.WriteFile(name, []byte("k:v\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	epistle(t, 0, "", "produce", "-b", b, "-t", "t", "-K", "five.txt").wantErr(`note: -K "five.txt" is the name of a file here; is the delimiter missing?`)
	if got := epistle(t, 0, "", "produce", "-b", b, "-t", "t", "-K", ":", "five.txt").stderr.String(); strings.Contains(got, "is the name of a file") {
		t.Errorf("a delimiter is taken for a file:\n%s", got)
	}
}
