package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	// What GitHub leaves out of a heading to make a link of it.
	silent = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	fenced = regexp.MustCompile("(?s)```.*?```")
)

// anchors are what links to headings of a page may say.
func anchors(page string) map[string]bool {
	all := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		all[strings.ReplaceAll(silent.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
	}
	return all
}

// TestPagesLeadSomewhere demands that links between pages lead to files and headings that there are, and that each page of docs
// is linked where readers begin: README.md, or CONTRIBUTING.md.
func TestPagesLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	begin := []string{filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md")}
	linked := map[string]bool{}
	for i, page := range append(begin, pages...) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
			target := found[1] + found[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			name := page
			if file != "" {
				name = filepath.Join(filepath.Dir(page), file)
			}
			info, err := os.Stat(name)
			if err != nil {
				t.Errorf("%s: %s leads nowhere", filepath.Base(page), target)
				continue
			}
			linked[name] = linked[name] || i < len(begin)
			if anchor == "" || info.IsDir() || !strings.HasSuffix(name, ".md") {
				continue
			}
			other, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !anchors(string(other))[anchor] {
				t.Errorf("%s: %s leads to no heading", filepath.Base(page), target)
			}
		}
	}
	for _, page := range pages {
		if !linked[page] {
			t.Errorf("%s is linked neither in README.md nor in CONTRIBUTING.md", page)
		}
	}
}
