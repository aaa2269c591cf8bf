// Package script runs the scripts of tests. A script is a text file of blocks, each of which is a command, a line of ----, and
// the output that the command must have. Blocks are separated by empty lines. A block without ---- is a comment.
package script

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Run runs each file of testdata that ends in .txt as a subtest of its name. begin is called for each file. It returns a
// function that carries out the lines of one command and returns their output, without a newline at the end. With update, Run
// writes the output into the file as the expected one, in place of comparing the two.
func Run(t *testing.T, update bool, begin func(*testing.T) func(lines []string) string) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runFile(t, file, update, begin(t)) })
	}
}

func runFile(t *testing.T, file string, update bool, run func(lines []string) string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	for i, block := range strings.Split(strings.TrimSpace(text), "\n\n") {
		input, want, ok := strings.Cut(block, "\n----")
		if !ok { // a comment
			out.WriteString(block + "\n\n")
			continue
		}
		want = strings.TrimPrefix(want, "\n")
		got := run(strings.Split(input, "\n"))
		fmt.Fprintf(&out, "%s\n----\n", input)
		if got != "" {
			out.WriteString(got + "\n")
		}
		out.WriteString("\n")
		if !update && got != want {
			t.Errorf("%s, block %d:\n%s\n---- got\n%s\n---- want\n%s", file, i+1, input, got, want)
		}
	}
	if update {
		if err := os.WriteFile(file, []byte(strings.TrimSpace(out.String())+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
