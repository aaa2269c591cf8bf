package sender

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// Each part of the core owns its fields: who is not of that type uses its methods. A part is a struct that the core has by
// value.
func TestPartsOwnTheirFields(t *testing.T) {
	fset, files := token.NewFileSet(), map[string]*ast.File{}
	found, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	structs := map[string]*ast.StructType{}
	for _, name := range found {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = file
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					structs[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	owned := map[string]map[string]bool{} // fields, by the name that the core has for their part
	for _, f := range structs["core"].Fields.List {
		if kind, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 1 && f.Names[0].Name == kind.Name {
			owned[kind.Name] = fieldsOf(structs, kind.Name)
		}
	}
	if len(owned) < 8 {
		t.Fatalf("the core has %d parts: are they pointers, or called otherwise than their types?", len(owned))
	}
	for _, file := range files {
		calls := map[ast.Node]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				calls[n.Fun] = true
			case *ast.SelectorExpr:
				if part := partOf(n.X); owned[part][n.Sel.Name] && !calls[n] {
					t.Errorf("%s: %s.%s is used from outside of its type", fset.Position(n.Pos()), part, n.Sel.Name)
				}
			case *ast.AssignStmt:
				for _, value := range n.Rhs {
					if part := partOf(value); owned[part] != nil {
						t.Errorf("%s: %s is called by another name", fset.Position(n.Pos()), part)
					}
				}
			}
			return true
		})
	}
}

// fieldsOf returns the names of a struct's fields, with those of what it embeds.
func fieldsOf(structs map[string]*ast.StructType, kind string) map[string]bool {
	fields := map[string]bool{}
	if structs[kind] == nil {
		return fields
	}
	for _, f := range structs[kind].Fields.List {
		for _, name := range f.Names {
			fields[name.Name] = true
		}
		if embedded, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 {
			fields[embedded.Name] = true
			for name := range fieldsOf(structs, embedded.Name) {
				fields[name] = true
			}
		}
	}
	return fields
}

// partOf returns the name of the part of a core that e is, or is the address of; "" if it is neither. A core is called c or
// core.
func partOf(e ast.Expr) string {
	if address, ok := e.(*ast.UnaryExpr); ok {
		e = address.X
	}
	field, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	owner := ""
	switch x := field.X.(type) {
	case *ast.Ident:
		owner = x.Name
	case *ast.SelectorExpr:
		owner = x.Sel.Name
	}
	if owner != "c" && owner != "core" {
		return ""
	}
	return field.Sel.Name
}
