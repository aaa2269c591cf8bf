package app

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/producer"
)

// valueNames are the names that values of flags have in the help.
var valueNames = []string{"host:port,…", "name", "number", "bytes", "records/s", "file", "text", "k=v", "key=value", "codec", "duration", "id", "all|1|0", "true|false"}

func TestHelp(t *testing.T) {
	overview := epistle(t, 0, "", "help").stdout.String()
	for _, c := range commands {
		if !strings.Contains(overview, c.Name) || !strings.Contains(overview, c.Summary) {
			t.Errorf("the overview does not tell of %s", c.Name)
		}
		help := epistle(t, 0, "", "help", c.Name).stdout.String()
		for _, args := range [][]string{{c.Name, "--help"}, {c.Name, "-h"}, {c.Name, "-b", "h:1", "--help"}} {
			if got := epistle(t, 0, "", args...).stdout.String(); got != help {
				t.Errorf("epistle %v prints something else than epistle help %s:\n%s", args, c.Name, got)
			}
		}
		for _, want := range []string{"Usage:\n  epistle " + c.Name, "Examples:\n  epistle " + c.Name, "-b, --bootstrap", "-t, --topic", "-X, --property", "--config", "Exit status"} {
			if !strings.Contains(help, want) {
				t.Errorf("the help of %s lacks %q", c.Name, want)
			}
		}
		for line := range strings.Lines(help) {
			// A value has a name of its own, which says what it is.
			if m := regexp.MustCompile(`^  (?:-., |    )--[a-z-]+ (\S+)`).FindStringSubmatch(line); m != nil && !slices.Contains(valueNames, m[1]) {
				t.Errorf("the help of %s calls a value %q: %s", c.Name, m[1], line)
			}
			if len([]rune(line)) > 102 {
				t.Errorf("the help of %s has a line of more than 100 columns: %s", c.Name, line)
			}
		}
	}
	for _, o := range others { // they have help as well, and it begins with the line of the overview
		got := epistle(t, 0, "", "help", o.Name).stdout.String()
		summary, _, _ := strings.Cut(o.Help, ": ")
		if !strings.HasPrefix(got, "epistle "+o.Name+": "+summary) || !strings.Contains(got, "Usage:\n  epistle "+o.Name) {
			t.Errorf("epistle help %s prints\n%s", o.Name, got)
		}
	}
	if got := epistle(t, 0, "", "version").stdout.String(); !strings.HasPrefix(got, "epistle "+producer.Version+", go") {
		t.Errorf("version = %q", got)
	}
}
