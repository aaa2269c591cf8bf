package notrun

import (
	"os"
	"path/filepath"
	"testing"
)

// What is not run has a line each, whatever its reason looks like, and its test is skipped.
func TestWhatIsNotRunIsNoted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "notrun")
	t.Setenv("NOTRUN_FILE", file)
	for _, why := range []string{"there is no such program", "two reasons:\n  one\n  two"} {
		skipped := false
		t.Run("it", func(t *testing.T) {
			defer func() { skipped = t.Skipped() }()
			Skip(t, why)
			t.Error("the test goes on")
		})
		if !skipped {
			t.Errorf("%q: the test is not skipped", why)
		}
	}
	got, err := os.ReadFile(file)
	want := "TestWhatIsNotRunIsNoted/it: there is no such program\nTestWhatIsNotRunIsNoted/it#01: two reasons: one; two\n"
	if err != nil || string(got) != want {
		t.Errorf("the list is %q, %v, want %q", got, err, want)
	}
	t.Setenv("NOTRUN_FILE", "") // by hand nobody keeps a list
	t.Run("by hand", func(t *testing.T) { Skip(t, "there is no such program") })
}
