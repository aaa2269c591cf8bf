package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestInvariantsAreCited demands that code, a test and a mutant cite each invariant of sender/doc.go. Whoever changes the one
// finds the others by the number.
func TestInvariantsAreCited(t *testing.T) {
	invariants := regexp.MustCompile(`(?m)^//\t(I\d+)  `).FindAllStringSubmatch(read(t, "sender/doc.go"), -1)
	if len(invariants) < 7 {
		t.Fatalf("sender/doc.go has the invariants %v, and I1 to I7 are what others cite", invariants)
	}
	citation := regexp.MustCompile(`\bI\d+\b`)
	cited := map[string]map[string]int{}
	err := filepath.WalkDir(root, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if err == nil && entry.Name() == ".git" {
				return filepath.SkipDir
			}
			return err
		}
		kind := "a test"
		switch base := entry.Name(); {
		case filepath.Ext(base) == ".patch":
			kind = "a mutant"
		case strings.HasSuffix(base, "_test.go"):
		case filepath.Ext(base) != ".go" || strings.HasPrefix(base, "doc"):
			return nil
		default:
			kind = "code"
		}
		text, err := os.ReadFile(name)
		for _, number := range citation.FindAllString(string(text), -1) {
			if cited[number] == nil {
				cited[number] = map[string]int{}
			}
			cited[number][kind]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, invariant := range invariants {
		for _, kind := range []string{"code", "a test", "a mutant"} {
			if cited[invariant[1]][kind] == 0 {
				t.Errorf("%s of sender/doc.go is cited by no line of %s", invariant[1], kind)
			}
		}
	}
}
