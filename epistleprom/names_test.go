package epistleprom

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of docs/metrics.md")

// docs/metrics.md has each metric with its labels, in the order of the table here.
func TestThePageHasEachName(t *testing.T) {
	const page, head = "../docs/metrics.md", "| kafka_producer_… | labels | what it is |\n| --- | --- | --- |\n"
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	before, rest, some := strings.Cut(text, head)
	if !some {
		t.Fatalf("%s has no table with the head %q", page, head)
	}
	shown, after, some := strings.Cut(rest, "\n\n")
	if !some {
		t.Fatalf("%s: the table has no end", page)
	}
	var rows []string
	for _, m := range metrics {
		labels := ""
		if len(m.labels) > 0 {
			labels = "`" + strings.Join(m.labels, "` `") + "`"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", m.name, labels, m.help))
	}
	want := strings.Join(rows, "\n")
	if shown == want {
		return
	}
	if !*update {
		t.Fatalf("%s has another table than there are metrics: go -C epistleprom test -run %s -update .", page, t.Name())
	}
	if err := os.WriteFile(page, []byte(before+head+want+"\n\n"+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
