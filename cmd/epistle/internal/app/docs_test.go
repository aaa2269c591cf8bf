package app

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
)

// commandLine finds the commands that a page shows.
var commandLine = regexp.MustCompile(`(?m)^ {4,6}epistle (.*)$`)

// Every command of the guides is run as it is, against brokers that are here in place of those that it names, and with fewer
// records.
func TestTheCommandsOfTheGuides(t *testing.T) {
	for page, least := range map[string]int{"exactly-once.md": 3, "tuning.md": 8, "doctor.md": 1} {
		text, err := os.ReadFile(filepath.Join("../../../../docs", page))
		if err != nil {
			t.Fatal(err)
		}
		lines := commandLine.FindAllStringSubmatch(string(text), -1)
		if len(lines) < least {
			t.Errorf("%s shows %d commands, want %d at least", page, len(lines), least)
		}
		for _, line := range lines {
			t.Run(line[1], func(t *testing.T) { runGuideLine(t, line[1]) })
		}
	}
}

func runGuideLine(t *testing.T, line string) {
	c, bootstrap := brokers(t, brokertest.Topic("load", 3), brokertest.Topic("orders", 3))
	t.Chdir(t.TempDir())
	events := strings.Repeat(`{"customer":"customer-7","item":"tea","cents":1250}`+"\n", 1200)
	if err := os.WriteFile("events.txt", []byte(events), 0o600); err != nil {
		t.Fatal(err)
	}
	line, _, _ = strings.Cut(line, "    #")
	line, reader, _ := strings.Cut(line, " | ")
	args := strings.Fields(line)
	at := slices.IndexFunc(args, func(arg string) bool { return strings.HasSuffix(arg, ":9092") })
	if at < 0 {
		t.Fatalf("epistle %s: it does not say which broker", line)
	}
	args[at] = bootstrap
	if args[0] == "perf" {
		args = append(args, "--records", "2000")
	}
	s := epistle(t, 0, "", args...)
	if args[0] == "doctor" {
		var told map[string]any
		if err := json.Unmarshal([]byte(s.stdout.String()), &told); err != nil {
			t.Errorf("epistle %s: %v, so there is nothing for %s to read", line, err, reader)
		}
		return // it sends nothing
	}
	if count(c, "load")+count(c, "orders") == 0 {
		t.Errorf("epistle %s: nothing was sent", line)
	}
}
