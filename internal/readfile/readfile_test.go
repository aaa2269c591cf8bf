package readfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRegularFilesAreReadWithinABound(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	if err := os.WriteFile(path, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := Regular(path, 7); err != nil || string(data) != "hunter2" {
		t.Errorf("as long as the bound: got %q, %v", data, err)
	}
	for _, test := range []struct{ path, want string }{
		{path, "has more than 6 bytes"},
		{dir, "is a directory"},
		{filepath.Join(dir, "missing"), "cannot be read: "},
		{os.DevNull, "is no regular file"},
	} {
		data, err := Regular(test.path, 6)
		if data != nil || err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: got %q, %v, want %q, without its path", test.path, data, err, test.want)
		}
	}
	if _, err := Regular(filepath.Join(dir, "missing"), 6); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want one that is fs.ErrNotExist", err)
	}
}
