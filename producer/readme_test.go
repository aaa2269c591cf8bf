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

// The page of settings has those of the table in Go, between its markers.
func TestSettingsPage(t *testing.T) {
	page, err := os.ReadFile(settingsPage)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(page), "<!-- settings:begin -->\n")
	block, _, ends := strings.Cut(rest, "<!-- settings:end -->")
	if !begins || !ends {
		t.Fatalf("%s lacks the markers <!-- settings:begin --> and <!-- settings:end -->, each on a line of its own", settingsPage)
	}
	if strings.TrimSpace(block) != strings.TrimSpace(renderSettings()) {
		t.Errorf("%s between the markers is not %s; copy it there", settingsPage, settingsTable)
	}
}

const settingsPage = "../docs/settings.md"

// listing returns the README's block of Go that begins with a package's clause.
func listing(t *testing.T, clause string) string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(readme), "```go\n"+clause+"\n")
	code, _, ends := strings.Cut(rest, "```")
	if !begins || !ends {
		t.Fatalf("README.md has no Go that begins with %s", clause)
	}
	return clause + "\n" + code
}

// compile has the go command do something with code that is in no file of the module, though the compiler sees it there.
func compile(t *testing.T, file, code string, args ...string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source, overlay := filepath.Join(dir, file), filepath.Join(dir, "overlay.json")
	place := filepath.Join(root, "internal", "readme", file)
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{place: source}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{source: code, overlay: string(replace)} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args = append([]string{args[0], "-overlay", overlay}, args[1:]...)
	command := exec.Command("go", append(args, "./internal/readme")...)
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go %s with what README.md has: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// firstProgram builds the README's first program for a broker at an address.
func firstProgram(t *testing.T, address string) (binary string) {
	t.Helper()
	program := listing(t, "package main")
	if !strings.Contains(program, `"localhost:9092"`) {
		t.Fatal("README.md has no program for localhost:9092")
	}
	binary = filepath.Join(t.TempDir(), "program.exe")
	compile(t, "main.go", strings.ReplaceAll(program, "localhost:9092", address), "build", "-o", binary)
	return binary
}

// The README's example of a test is one that passes.
func TestREADMEsTest(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a test")
	}
	binary := filepath.Join(t.TempDir(), "orders.exe")
	compile(t, "orders_test.go", listing(t, "package orders"), "test", "-vet=off", "-c", "-o", binary)
	if out, err := exec.Command(binary).CombinedOutput(); err != nil {
		t.Errorf("the README's test fails: %v\n%s", err, out)
	}
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
