package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// surface is the packages whose exported names are recorded, since others may use them: all names, or the types that are named
// here, with their constants and methods.
var surface = map[string][]string{
	"producer": nil, "producertest": nil, "partition": nil, "brokertest": nil, "sasl": nil,
	"protocol": {"ErrorCode", "Header", "KeyValue", "UUID"},
}

var update = flag.Bool("update", false, "record the surface anew: make surface")

// TestTheSurfaceIsAsRecorded compares what the packages export with testdata/surface, so that nothing is added, changed or
// taken away that nobody meant. The compiler's own view is compared: values of constants, types behind aliases, fields and
// methods.
func TestTheSurfaceIsAsRecorded(t *testing.T) {
	for name, only := range surface {
		file := filepath.Join("..", "..", "testdata", "surface", name+".txt")
		got := strings.Join(about(factsOf(compiled(t, name)), only), "\n") + "\n"
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		recorded, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range changes(strings.Split(string(recorded), "\n"), strings.Split(got, "\n")) {
			t.Errorf("package %s: %s", name, change)
		}
	}
	if t.Failed() {
		t.Log("if that is meant, record it (make surface), and say in CHANGELOG.md what users have to do")
	}
}

// A line of the record is a fact. The test of the record itself: each kind of change is seen.
func TestEachKindOfChangeIsSeen(t *testing.T) {
	facts := factsOf(compiled(t, "producer"))
	for _, fact := range []string{
		"const OutcomeCommitted TransactionOutcome = 1",
		"var ErrFenced error",
		"func NewTyped[K, V any](Sender, Serializer[K], Serializer[V]) *Typed[K, V]",
		"type TransactionOutcome uint8",
		"type Header = protocol.Header",
		"type Callback = func(md RecordMetadata, err error)",
		"type Header, field Value []byte",
		"type Record, some fields not exported",
		"type SendError, field MayBeWritten bool",
		"type Sender, method TrySend(Record, Callback) error",
		"type Future, method Wait(context.Context) (RecordMetadata, error)",
		"type Producer, method SendFunc(context.Context, Record, Callback) (of *Producer)",
	} {
		if !slices.Contains(facts, fact) {
			t.Errorf("nothing says %q", fact)
		}
	}
	if got := changes([]string{"a", "b", "c"}, []string{"a", "c", "d"}); !slices.Equal(got, []string{"gone: b", "new: d"}) {
		t.Errorf("the changes are %q", got)
	}
}

// about returns the facts that are about these types; all of them if there are none.
func about(facts, types []string) []string {
	if types == nil {
		return facts
	}
	return slices.DeleteFunc(facts, func(fact string) bool {
		return !slices.ContainsFunc(types, func(name string) bool {
			words := strings.FieldsFunc(fact, func(r rune) bool { return r == ' ' || r == ',' })
			return words[0] == "type" && words[1] == name || words[0] == "const" && words[2] == name
		})
	})
}

// changes returns the lines of one sorted list that the other lacks.
func changes(before, now []string) (all []string) {
	for _, line := range before {
		if !slices.Contains(now, line) {
			all = append(all, "gone: "+line)
		}
	}
	for _, line := range now {
		if !slices.Contains(before, line) {
			all = append(all, "new: "+line)
		}
	}
	return all
}

// compiled returns a package of this module as the compiler has left it.
func compiled(t *testing.T, name string) *types.Package {
	t.Helper()
	exports := map[string]string{}
	decoder := json.NewDecoder(bytes.NewReader(goList(t, "-export", "-deps", "-json=ImportPath,Export", module+"/"+name)))
	for {
		var p struct{ ImportPath, Export string }
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
	}
	read := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	p, err := importer.ForCompiler(token.NewFileSet(), "gc", read).Import(module + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// factsOf lists what a package exports, one fact a line, sorted.
func factsOf(p *types.Package) []string {
	f := facts{from: p}
	for _, name := range p.Scope().Names() {
		o := p.Scope().Lookup(name)
		if !o.Exported() {
			continue
		}
		switch o := o.(type) {
		case *types.Const:
			f.add("const %s %s = %s", name, f.text(o.Type()), o.Val().ExactString())
		case *types.Var:
			f.add("var %s %s", name, f.text(o.Type()))
		case *types.Func:
			f.add("func %s%s", name, f.signature(o.Signature()))
		case *types.TypeName:
			f.typeName(o)
		}
	}
	slices.Sort(f.lines)
	return f.lines
}

type facts struct {
	from  *types.Package
	lines []string
}

func (f *facts) add(format string, args ...any) {
	f.lines = append(f.lines, fmt.Sprintf(format, args...))
}

// text names a type as its package would.
func (f *facts) text(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == f.from {
			return ""
		}
		return path.Base(p.Path())
	})
}

// signature leaves the names of parameters out: they bind nobody.
func (f *facts) signature(s *types.Signature) string {
	var b strings.Builder
	if tps := s.TypeParams(); tps.Len() > 0 {
		b.WriteString("[" + f.typeParams(tps) + "]")
	}
	list := func(vars *types.Tuple, variadic bool) string {
		var texts []string
		for v := range vars.Variables() {
			texts = append(texts, f.text(v.Type()))
		}
		if variadic {
			last := &texts[len(texts)-1]
			*last = "..." + strings.TrimPrefix(*last, "[]")
		}
		return strings.Join(texts, ", ")
	}
	b.WriteString("(" + list(s.Params(), s.Variadic()) + ")")
	switch s.Results().Len() {
	case 0:
	case 1:
		b.WriteString(" " + list(s.Results(), false))
	default:
		b.WriteString(" (" + list(s.Results(), false) + ")")
	}
	return b.String()
}

// typeParams writes neighbours with one constraint together.
func (f *facts) typeParams(tps *types.TypeParamList) string {
	var b strings.Builder
	for i := range tps.Len() {
		tp := tps.At(i)
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(tp.Obj().Name())
		if i+1 == tps.Len() || !types.Identical(tps.At(i+1).Constraint(), tp.Constraint()) {
			b.WriteString(" " + f.text(tp.Constraint()))
		}
	}
	return b.String()
}

func (f *facts) typeName(o *types.TypeName) {
	name := o.Name()
	if alias, ok := o.Type().(*types.Alias); ok {
		to := types.Unalias(alias)
		f.add("type %s = %s", name, f.text(to))
		if named, ok := to.(*types.Named); ok && named.Obj().Pkg() != f.from {
			f.under(name, named)
			f.methods(name, named)
		}
		return
	}
	named := o.Type().(*types.Named)
	f.under(name, named)
	f.methods(name, named)
}

// under tells what a type is made of.
func (f *facts) under(name string, named *types.Named) {
	params := ""
	if tps := named.TypeParams(); tps.Len() > 0 {
		params = "[" + f.typeParams(tps) + "]"
	}
	switch u := named.Underlying().(type) {
	case *types.Struct:
		f.add("type %s%s struct", name, params)
		hidden := false
		for field := range u.Fields() {
			if !field.Exported() {
				hidden = true
				continue
			}
			f.add("type %s, field %s %s", name, field.Name(), f.text(field.Type()))
		}
		if hidden {
			f.add("type %s, some fields not exported", name)
		}
		if !types.Comparable(named) {
			f.add("type %s, not comparable", name)
		}
	case *types.Interface:
		f.add("type %s%s interface", name, params)
		for m := range u.Methods() {
			f.add("type %s, method %s%s", name, m.Name(), f.signature(m.Signature()))
		}
	default:
		f.add("type %s%s %s", name, params, f.text(u))
	}
}

// methods tells whether a method needs a pointer.
func (f *facts) methods(name string, named *types.Named) {
	if types.IsInterface(named) {
		return
	}
	values := types.NewMethodSet(named)
	pointers := types.NewMethodSet(types.NewPointer(named))
	for i := range pointers.Len() {
		m := pointers.At(i).Obj().(*types.Func)
		if !m.Exported() {
			continue
		}
		of := " (of *" + name + ")"
		if values.Lookup(m.Pkg(), m.Name()) != nil {
			of = ""
		}
		f.add("type %s, method %s%s%s", name, m.Name(), f.signature(m.Signature()), of)
	}
}
