package sender

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The map in the package documentation has each file, and no file that there is not.
func TestTheMapHasEveryFile(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, plan, _ := strings.Cut(string(text), "// # The map\n")
	plan, _, _ = strings.Cut(plan, "// # Transactions\n")
	listed := map[string]bool{}
	for line := range strings.Lines(plan) {
		line, row := strings.CutPrefix(line, "//\t")
		if !row || strings.HasPrefix(line, "file ") {
			continue
		}
		files, _, _ := strings.Cut(line, "  ")
		for name := range strings.SplitSeq(files, ", ") {
			listed[name] = true
		}
	}
	found, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		name := strings.TrimSuffix(file, ".go")
		if strings.HasSuffix(name, "_test") || strings.HasPrefix(name, "doc") {
			continue
		}
		if !listed[name] {
			t.Errorf("the map lacks %s", file)
		}
		delete(listed, name)
	}
	for name := range listed {
		t.Errorf("the map has %s.go, which is not there", name)
	}
}
