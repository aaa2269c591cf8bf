package producer

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
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

// firstProgram builds the README's first program for a broker at an address.
func firstProgram(t *testing.T, address string) string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(readme), "```go\npackage main\n")
	program, _, ends := strings.Cut(rest, "```")
	if !begins || !ends || !strings.Contains(program, `"localhost:9092"`) {
		t.Fatal("README.md has no program for localhost:9092")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	// The file is not there, but the compiler sees it in the module.
	dir := t.TempDir()
	source, overlay, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "program.exe")
	place := filepath.Join(root, "internal", "readme", "main.go")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{place: source}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		source: "package main\n" + strings.ReplaceAll(program, "localhost:9092", address), overlay: string(replace),
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-overlay", overlay, "-o", binary, "./internal/readme")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the README's program cannot be built: %v\n%s", err, out)
	}
	return binary
}

// What a user copies first sends a record, and where no broker is, it says so and fails.
func TestREADMEsFirstProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program, and waits for a broker that is not there")
	}
	kafka, err := brokertest.Start(brokertest.Topic("orders", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer kafka.Close()
	out, err := exec.Command(firstProgram(t, kafka.Bootstrap()[0])).CombinedOutput()
	if want := "written to orders, partition 0, offset 0\n"; err != nil || string(out) != want {
		t.Errorf("the program says %q, %v, want %q", out, err, want)
	}

	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := nobody.Addr().String()
	nobody.Close()
	out, err = exec.Command(firstProgram(t, address)).CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 1 {
		t.Errorf("without a broker the program ends with %v, want exit status 1", err)
	}
	if !bytes.Contains(out, []byte(address)) || !bytes.Contains(out, []byte("connection refused")) && !bytes.Contains(out, []byte("actively refused")) {
		t.Errorf("without a broker the program says %q, want the address and that it refuses", out)
	}
}
