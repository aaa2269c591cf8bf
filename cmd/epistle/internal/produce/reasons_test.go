package produce

import (
	"fmt"
	"strings"
	"testing"
)

// Lines fail for two reasons by turns. Each reason has its text in the first row that it is in, and its number alone in all others.
func TestAReasonIsWrittenOutOnce(t *testing.T) {
	var text strings.Builder
	f := &reasonsFile{w: &text}
	of := []*reason{{number: 1, text: "the topic may not be written"}, {number: 2, text: "the record is too large"}}
	from := &source{name: "a.txt"}
	for line := range int64(6) {
		f.add(line+1, from, line+10, "not-written", of[line%2])
	}
	f.row()
	want := "# lines\tread from\tfate\treason, with its text where it first comes up\n" +
		"1\ta.txt:10\tnot-written\t[1] the topic may not be written\n" +
		"2\ta.txt:11\tnot-written\t[2] the record is too large\n"
	for line := 3; line <= 6; line++ {
		want += fmt.Sprintf("%d\ta.txt:%d\tnot-written\t[%d]\n", line, line+9, 2-line%2)
	}
	if got := text.String(); got != want {
		t.Errorf("the file has\n%swant\n%s", got, want)
	}
}
