package producer

import (
	"os"
	"strings"
	"testing"
)

// The README's settings are those of the table in Go, between its markers.
func TestREADMEHasTheSettings(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(readme), "<!-- settings:begin -->\n")
	block, _, ends := strings.Cut(rest, "<!-- settings:end -->")
	if !begins || !ends {
		t.Fatal("README.md lacks the markers <!-- settings:begin --> and <!-- settings:end -->, each on a line of its own")
	}
	if strings.TrimSpace(block) != strings.TrimSpace(renderSettings()) {
		t.Errorf("README.md between the markers is not %s; copy it there", settingsTable)
	}
}
