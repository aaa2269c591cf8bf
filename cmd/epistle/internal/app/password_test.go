package app

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// The console of Windows has names of its own, in any directory; other systems have a file.
func TestNamesOfTheConsole(t *testing.T) {
	for system, want := range map[string][2]string{"windows": {"CONIN$", "CONOUT$"}, "linux": {"/dev/tty", "/dev/tty"}, "darwin": {"/dev/tty", "/dev/tty"}} {
		if read, write := consoleOf(system); [2]string{read, write} != want {
			t.Errorf("%s: got %s and %s, want %v", system, read, write, want)
		}
	}
}

// What is no terminal is not read from: somebody would type a password that everybody can see.
func TestNoPasswordFromAFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("pencil\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if typed, err := ask(context.Background(), in, out, "password: "); err == nil || typed != "" {
		t.Errorf("got %q and %v, want an error", typed, err)
	}
	if _, err := in.Stat(); err == nil {
		t.Error("the file is left open")
	}
}
