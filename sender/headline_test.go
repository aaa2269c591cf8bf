package sender

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// docs/log.md lists every line of the log that the library has, with its level, and no other.
func TestTheDocsListEveryLine(t *testing.T) {
	text, err := os.ReadFile("../docs/log.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- lines:begin -->\n")
	table, _, ok := strings.Cut(rest, "<!-- lines:end -->")
	if !ok {
		t.Fatal("docs/log.md lacks its markers")
	}
	var listed []string
	for _, row := range strings.Split(strings.TrimSpace(table), "\n")[2:] {
		cells := strings.Split(row, "|")
		listed = append(listed, strings.Trim(cells[1], " `")+" "+strings.TrimSpace(cells[2]))
	}
	var written []string
	for _, dir := range []string{".", "../wire", "../producer", "../accumulator", "../metadata", "../txn", "../internal/tlsconf"} {
		written = append(written, linesOf(t, dir)...)
	}
	slices.Sort(listed)
	slices.Sort(written)
	for _, l := range slices.Compact(written) {
		if !slices.Contains(listed, l) {
			t.Errorf("docs/log.md lacks %q", l)
		}
	}
	for _, l := range listed {
		if !slices.Contains(written, l) {
			t.Errorf("docs/log.md has %q, which nobody writes", l)
		}
	}
}

// linesOf returns the texts and levels of the log lines in a package's code.
func linesOf(t *testing.T, dir string) (lines []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files in %s: %v", dir, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit: // headline{"text", slog.LevelInfo}
				if name, ok := n.Type.(*ast.Ident); ok && name.Name == "headline" {
					level := n.Elts[1].(*ast.SelectorExpr).Sel.Name
					lines = append(lines, unquoted(n.Elts[0])+" "+strings.ToUpper(strings.TrimPrefix(level, "Level")))
				}
			case *ast.CallExpr: // log.Warn("text", …)
				method, ok := n.Fun.(*ast.SelectorExpr)
				if ok && len(n.Args) > 0 && slices.Contains([]string{"Debug", "Info", "Warn", "Error", "logSocketOnce"}, method.Sel.Name) && unquoted(n.Args[0]) != "" {
					lines = append(lines, unquoted(n.Args[0])+" "+strings.Replace(strings.ToUpper(method.Sel.Name), "LOGSOCKETONCE", "INFO", 1))
				}
			}
			return true
		})
	}
	return lines
}

func unquoted(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	s, _ := strconv.Unquote(literal.Value)
	return s
}
