package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// passive packages are handed the time as an argument and do nothing between two calls, so they can be tested with values
// alone.
var passive = []string{"accumulator", "metadata", "idempotent", "txn", "partition", "internal/sticky", "internal/otlp", "internal/telemetry"}

// clock lists what reads the clock or waits for it, by package. Types and arithmetic of package time are fine.
var clock = map[string][]string{
	"time":    {"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Sleep", "Tick"},
	"context": {"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause"},
	"cause":   {"Within"},
}

// clockFiles are the files of sender and producer that may read the clock, and what for. Everything else of these packages is
// told the time, as the passive packages are: so a script drives the core, and what a call measures is in one place. Package
// wire is not here: each of its connections has timeouts of its own.
var clockFiles = map[string]string{
	"sender/loop.go":          "each step gets the time from it",
	"sender/pusher_calls.go":  "Close waits for the last push for a moment",
	"producer/room.go":        "Send tells the time of the record, and max.block bounds its wait",
	"producer/lookup.go":      "max.block bounds the wait for a topic, and a failure that is remembered has an age",
	"producer/hooks_calls.go": "hooks are told how long Send took",
	"producer/producer.go":    "it is counted how long Flush took",
	"producer/transaction.go": "it is counted how long calls of transactions took",
	"producer/diagnose.go":    "the record that a diagnosis sends is measured",
}

// maxLines is where a file has to be cut, tests included; generated ones and data are exempt. maxFunction is where a function
// has to be, tests excluded.
const (
	maxLines    = 400
	maxFunction = 70
)

// TestPassivePackages demands of the passive packages that they read no clock, start no goroutine and know no network.
func TestPassivePackages(t *testing.T) {
	for _, p := range listPackages(t) {
		if !slices.Contains(passive, p.name()) {
			continue
		}
		for _, imported := range p.Imports {
			if imported == "net" || strings.HasPrefix(imported, "net/") {
				t.Errorf("%s imports %s", p.name(), imported)
			}
		}
		for _, file := range p.GoFiles {
			for _, found := range append(clockReads(t, filepath.Join(p.Dir, file)), goStatements(t, filepath.Join(p.Dir, file))...) {
				t.Errorf("%s is to be passive: %s", p.name(), found)
			}
		}
	}
}

// TestClockIsReadWhereItMay holds sender and producer to clockFiles.
func TestClockIsReadWhereItMay(t *testing.T) {
	read := map[string]bool{}
	for _, p := range listPackages(t) {
		if p.name() != "sender" && p.name() != "producer" {
			continue
		}
		for _, file := range p.GoFiles {
			for _, found := range clockReads(t, filepath.Join(p.Dir, file)) {
				name := p.name() + "/" + file
				read[name] = true
				if clockFiles[name] == "" {
					t.Errorf("%s is not to read the clock, see clockFiles: %s", name, found)
				}
			}
		}
	}
	for name := range clockFiles {
		if !read[name] {
			t.Errorf("clockFiles has %s, which does not read the clock any more", name)
		}
	}
}

// TestFilesStayShort counts the lines of every Go file below the module's root, nested modules included.
func TestFilesStayShort(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if lines := bytes.Count(source, []byte("\n")); lines > maxLines && !generated(source) {
			t.Errorf("%s has %d lines, the limit is %d", filepath.ToSlash(name), lines, maxLines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFunctionsStayShort counts the lines of every function of the module, with its first and its last.
func TestFunctionsStayShort(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, file := range p.GoFiles {
			files := token.NewFileSet()
			tree, err := parser.ParseFile(files, filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, decl := range tree.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if lines := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1; lines > maxFunction {
					t.Errorf("%s: %s of %s has %d lines, the limit is %d", p.name(), f.Name.Name, file, lines, maxFunction)
				}
			}
		}
	}
}

func generated(source []byte) bool {
	for line := range bytes.Lines(source) {
		if bytes.HasPrefix(line, []byte("package ")) {
			return false
		}
		if bytes.HasPrefix(line, []byte("// Code generated ")) && bytes.HasSuffix(bytes.TrimSpace(line), []byte("DO NOT EDIT.")) {
			return true
		}
	}
	return false
}

// clockReads finds every use, called or passed on, of a name in clock.
func clockReads(t *testing.T, file string) []string {
	return findings(t, file, func(tree *ast.File, node ast.Node) string {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return ""
		}
		for importPath, names := range clock {
			if x, ok := selector.X.(*ast.Ident); ok && x.Name == nameOf(tree, importPath) && slices.Contains(names, selector.Sel.Name) {
				return importPath + "." + selector.Sel.Name
			}
		}
		return ""
	})
}

func goStatements(t *testing.T, file string) []string {
	return findings(t, file, func(_ *ast.File, node ast.Node) string {
		if _, ok := node.(*ast.GoStmt); ok {
			return "a go statement"
		}
		return ""
	})
}

// nameOf is the name by which a file knows the package whose path ends in base, or "" if it does not.
func nameOf(tree *ast.File, base string) string {
	for _, spec := range tree.Imports {
		if importPath, _ := strconv.Unquote(spec.Path.Value); path.Base(importPath) == base {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return base
		}
	}
	return ""
}

// findings parses one file and lists where look has something to say, as position and text.
func findings(t *testing.T, file string, look func(*ast.File, ast.Node) string) []string {
	t.Helper()
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(tree, func(node ast.Node) bool {
		if what := look(tree, node); what != "" {
			at := files.Position(node.Pos())
			found = append(found, filepath.Base(at.Filename)+":"+strconv.Itoa(at.Line)+": "+what)
		}
		return true
	})
	return found
}
