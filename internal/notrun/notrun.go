// Package notrun ends tests that cannot be run where they are, and notes that for the list with which `make test` ends.
package notrun

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
)

// mu guards the file, within this process.
var mu sync.Mutex

// Skip ends a test that cannot be run here, and says so: in the test's output, and in a line of the file that NOTRUN_FILE
// names, of which `make test` prints what is in it at its end. It is for what the machine or a cluster lacks, never for what
// fails.
func Skip(t testing.TB, why string) {
	t.Helper()
	// The go command takes a package's result from its cache for as long as the variables that its tests have looked at are the
	// same. A result in which something was not run would be taken from there when the machine has what was lacking, and no
	// line would be written. This variable is another one in each run, and only such results depend on it.
	_ = os.Getenv("NOTRUN_ROUND")
	if name := os.Getenv("NOTRUN_FILE"); name != "" {
		if err := appendLine(name, t.Name()+": "+oneLine.Replace(why)); err != nil {
			t.Fatalf("not run (%s), and that cannot be noted: %v", why, err)
		}
	}
	t.Skip("not run: " + why)
}

// oneLine joins reasons, which have a line each.
var oneLine = strings.NewReplacer(":\n  ", ": ", "\n  ", "; ", "\n", " ")

func appendLine(name, line string) error {
	mu.Lock()
	defer mu.Unlock()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}
