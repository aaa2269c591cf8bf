package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// TestPitfallsAreExplained demands that each pitfall that code, a test, a script or a patch cites is in docs/pitfalls.md, under
// its number. A citation that leads nowhere is worse than none.
func TestPitfallsAreExplained(t *testing.T) {
	var explained []int
	for _, heading := range regexp.MustCompile(`(?m)^## (\d+)\. `).FindAllStringSubmatch(read(t, "docs/pitfalls.md"), -1) {
		number, _ := strconv.Atoi(heading[1])
		explained = append(explained, number)
	}
	for i, number := range explained {
		if number != i+1 {
			t.Fatalf("docs/pitfalls.md has the headings %v, want 1, 2, 3 and so on: others cite them", explained)
		}
	}
	// As in "pitfall 8", "pitfalls 2 to 5", "pitfalls 6 and 7", and in names of patches, "pitfall-08".
	cited := regexp.MustCompile(`[Pp]itfalls?[- ](\d+)(?: (?:to|and) (\d+))?`)
	found := 0
	check := func(where, text string) {
		for _, citation := range cited.FindAllStringSubmatch(text, -1) {
			for _, digits := range citation[1:] {
				if digits == "" {
					continue
				}
				found++
				if number, _ := strconv.Atoi(digits); !slices.Contains(explained, number) {
					t.Errorf("%s cites pitfall %s, which docs/pitfalls.md does not have", where, digits)
				}
			}
		}
	}
	err := filepath.WalkDir(root, func(name string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == ".git":
			return filepath.SkipDir
		case !slices.Contains([]string{".go", ".txt", ".patch"}, filepath.Ext(name)):
			return nil
		}
		text, err := os.ReadFile(name)
		check(filepath.ToSlash(name), entry.Name()+"\n"+string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 50 {
		t.Errorf("only %d citations were found; the test does not read what it should", found)
	}
}
