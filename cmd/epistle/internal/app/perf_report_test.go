package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
)

func TestPerfDrawsAReport(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("load", 3))
	file := filepath.Join(t.TempDir(), "load.html")
	if err := os.WriteFile(file, []byte("that of the run before"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := epistle(t, 0, "", "perf", "-b", b, "-t", "load", "-n", "20000", "-z", "lz4", "-X", "client.id=<b>", "--report", file)
	s.wantErr("how it went is drawn in " + file)
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<!DOCTYPE html>", "20,000 records", "Latency by share of records", "lz4", "buffer.memory", "epistle perf: load"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
		t.Errorf("left beside it: %q", left)
	}
}

// The page of a run before stays until there is another whole one, and what cannot be written is told before anything is sent.
func TestReportsThatCannotBe(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("load", 1))
	dir := t.TempDir()
	for name, want := range map[string]string{
		filepath.Join(dir, "no", "such", "load.html"): "no such",
		dir: "no file",
		"":  "--report: the value is empty",
		"-": "--report -: want the name of a file",
	} {
		s := start(t, strings.NewReader(""), "perf", "-b", b, "-t", "load", "-n", "10", "--report", name)
		if s.wait() == 0 {
			t.Errorf("--report %q is taken", name)
		}
		s.wantErr("--report", want)
	}
	if n := count(c, "load"); n != 0 {
		t.Errorf("%d records were sent all the same", n)
	}
	file := filepath.Join(dir, "load.html")
	if err := os.WriteFile(file, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	epistle(t, 1, "", "perf", "-b", b, "-t", "no/such", "-n", "10", "--report", file)
	if page, err := os.ReadFile(file); err != nil || string(page) != "before" {
		t.Errorf("the page of the run before is now %q, %v", page, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left beside it: %q", left)
	}
}
