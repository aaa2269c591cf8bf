package archtest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// modules lists the directories of the repository's modules below its root, "." for the root itself. Those below testdata are
// data.
func modules(t *testing.T) (dirs []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if entry.Name() == "go.mod" {
			dir, err := filepath.Rel(root, filepath.Dir(name))
			dirs = append(dirs, filepath.ToSlash(dir))
			return err
		}
		return nil
	})
	if err != nil || len(dirs) < 2 {
		t.Fatalf("the modules: %v, %v", dirs, err)
	}
	slices.Sort(dirs)
	return dirs
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// listOf returns the items of the first list in a YAML file that stands under a key, one item on a line.
func listOf(t *testing.T, file, key string) (items []string) {
	t.Helper()
	text := read(t, file)
	at := regexp.MustCompile(`\n +` + key + `:\n`).FindStringIndex(text)
	if at == nil {
		t.Fatalf("%s has no list %s", file, key)
	}
	for line := range strings.Lines(text[at[1]:]) {
		item, ok := strings.CutPrefix(strings.TrimSpace(line), "- ")
		if !ok {
			break
		}
		items = append(items, item)
	}
	slices.Sort(items)
	return items
}

// TestEveryModuleIsLookedAfter demands that the public host tests all modules of the repository and keeps their dependencies up
// to date. Each has a go.mod of its own, so a module that is added is forgotten there by default.
func TestEveryModuleIsLookedAfter(t *testing.T) {
	want := modules(t)
	if got := listOf(t, ".github/workflows/ci.yml", "module"); !slices.Equal(got, want) {
		t.Errorf("ci.yml tests the modules %v, want %v", got, want)
	}
	var updated []string
	for _, dir := range listOf(t, ".github/dependabot.yml", "directories") {
		updated = append(updated, path.Clean("."+dir))
	}
	slices.Sort(updated)
	if !slices.Equal(updated, want) {
		t.Errorf("dependabot.yml updates the modules %v, want %v", updated, want)
	}
}

// TestActionsArePinned demands that the workflows name a major version of each action: what follows a branch changes without a
// commit here.
func TestActionsArePinned(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the workflows: %v, %v", files, err)
	}
	uses, pinned := regexp.MustCompile(`uses: *(\S+)`), regexp.MustCompile(`@v[1-9][0-9]*$`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, use := range uses.FindAllStringSubmatch(string(text), -1) {
			if !pinned.MatchString(use[1]) {
				t.Errorf("%s uses %s, want a major version such as @v6", filepath.Base(file), use[1])
			}
		}
	}
}
