package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/epistle-kafka/epistle"

// mayImport says which packages of this module each package may import outside its tests. A package that is missing here fails
// the test, so that a new one gets its row. Those in open are open to everyone, and not repeated.
var mayImport = map[string]struct {
	ours     []string
	external []string // nil: the standard library alone
}{
	"protocol":          {external: []string{"github.com/klauspost/compress", "github.com/pierrec/lz4/v4", "github.com/golang/snappy"}},
	"sasl":              {ours: []string{"internal/keystore", "internal/readfile"}},
	"wire":              {ours: []string{"protocol", "sasl", "internal/overdue"}},
	"accumulator":       {ours: []string{"protocol"}},
	"metadata":          {ours: []string{"protocol"}},
	"idempotent":        {ours: []string{"protocol"}},
	"txn":               {ours: []string{"protocol", "idempotent"}},
	"partition":         {},
	"sender":            {ours: []string{"protocol", "accumulator", "metadata", "wire", "idempotent", "txn", "sasl", "internal/overdue", "internal/telemetry", "internal/otlp"}},
	"producer":          {ours: []string{"protocol", "accumulator", "metadata", "wire", "idempotent", "txn", "sender", "partition", "sasl", "internal/doctor", "internal/keystore", "internal/tlsconf", "internal/properties", "internal/overdue", "internal/sticky", "internal/telemetry", "internal/double", "internal/await"}},
	"producertest":      {ours: []string{"protocol", "txn", "partition", "producer", "internal/double"}},
	"brokertest":        {ours: []string{"protocol"}},
	"cmd/epistle":       {ours: []string{"protocol", "wire", "producer", "brokertest", "sasl", "internal/properties", "internal/await", "internal/slips"}, external: []string{"github.com/spf13/pflag", "golang.org/x/term"}},
	"internal/backoff":  {},
	"internal/cause":    {},
	"internal/pbe":      {},
	"internal/sticky":   {ours: []string{"partition"}},
	"internal/shown":    {},
	"internal/overdue":  {},
	"internal/testcert": {},
	"internal/notrun":   {},
	"internal/vectors":  {},
	"internal/script":   {},
	"internal/readfile": {},
	"internal/keystore": {ours: []string{"internal/pbe"}},
	"internal/tlsconf":  {ours: []string{"internal/keystore", "internal/readfile"}},
	"internal/slips":    {},
	"internal/archtest": {},
	"internal/double":   {ours: []string{"protocol", "txn"}},
	"internal/await":    {},
	"internal/doctor":   {ours: []string{"protocol", "wire", "sasl", "internal/slips"}},

	"internal/otlp":      {},
	"internal/telemetry": {ours: []string{"protocol", "internal/otlp"}},

	"internal/properties": {ours: []string{"internal/slips", "sasl", "internal/readfile", "internal/tlsconf"}},
}

// open are leaves that every package may import.
var open = []string{"internal/backoff", "internal/cause", "internal/shown"}

type goPackage struct {
	Dir, ImportPath      string
	Imports, TestImports []string
	XTestImports         []string
	GoFiles              []string
}

// name is the package's path below the module, as the tables here use it. The command is one package to them, whatever it is
// divided into.
func (p goPackage) name() string {
	name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
	if strings.HasPrefix(name, command+"/internal/") {
		return command
	}
	return name
}

const (
	command     = "cmd/epistle"
	fullCommand = command + "/full/epistle" // a module of its own
)

// listPackages is `go list` over the whole module, which the test's own directory is below.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	var packages []goPackage
	decoder := json.NewDecoder(bytes.NewReader(goList(t, "-e", "-json=Dir,ImportPath,Imports,TestImports,XTestImports,GoFiles", module+"/...")))
	for {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func goList(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, exit.Stderr)
	} else if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// TestImportsPointDown holds every package to its row of mayImport. Tests may use more: brokertest, and the package's own
// external test package.
func TestImportsPointDown(t *testing.T) {
	for _, p := range listPackages(t) {
		row, known := mayImport[p.name()]
		if !known {
			t.Errorf("%s has no row in mayImport: decide what it may import", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
				if !slices.Contains(open, ours) && !slices.Contains(row.ours, ours) &&
					!(p.name() == command && strings.HasPrefix(ours, command+"/internal/")) {
					t.Errorf("%s imports %s; of this module it may import %v and %v", p.name(), ours, row.ours, open)
				}
			} else if !standard(imported) && !below(imported, row.external) {
				t.Errorf("%s imports %s; outside the standard library it may import %v", p.name(), imported, row.external)
			}
		}
	}
}

// TestTestsUseNoOtherModules keeps assertion libraries, clients and mocks out of the tests as well.
func TestTestsUseNoOtherModules(t *testing.T) {
	for _, p := range listPackages(t) {
		row := mayImport[p.name()]
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if !standard(imported) && !strings.HasPrefix(imported, module) && !below(imported, row.external) {
				t.Errorf("the tests of %s import %s", p.name(), imported)
			}
		}
	}
}

// TestNoKafkaClientNorDocker looks at everything that the module, its tests and its go.mod can reach. Those who import the
// library must not download another client for it, nor what only a mechanism in a module of its own needs.
func TestNoKafkaClientNorDocker(t *testing.T) {
	banned := []string{"franz-go", "sarama", "kafka-go", "confluent", "librdkafka", "docker", "moby", "testcontainers",
		"jcmturner", "gokrb5", "aws-sdk", "smithy", "aws-msk", "opentelemetry"}
	reachable := string(goList(t, "-e", "-deps", "-test", module+"/...")) + string(goList(t, "-m", "all"))
	for line := range strings.Lines(reachable) {
		line = strings.TrimSpace(line)
		for _, word := range banned {
			if !strings.HasPrefix(line, module) && strings.Contains(line, word) {
				t.Errorf("the library reaches %s", line)
			}
		}
	}
}

// mechanismsApart lists the directories of the mechanisms that are modules of their own, such as sasl/gssapi.
func mechanismsApart(t *testing.T) (apart []string) {
	t.Helper()
	files, err := filepath.Glob("../../sasl/*/go.mod")
	if err != nil || len(files) < 2 {
		t.Fatalf("the mechanisms that are modules: %v, %v", files, err)
	}
	for _, file := range files {
		apart = append(apart, strings.TrimPrefix(path.Dir(filepath.ToSlash(file)), "../../"))
	}
	return apart
}

// importsOf lists what a file imports of this repository, by its path below the root.
func importsOf(t *testing.T, file string) (ours []string) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range tree.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if below, ok := strings.CutPrefix(imported, module+"/"); ok {
			ours = append(ours, below)
		}
	}
	return ours
}

// TestMechanismsApartImportSASLAlone holds the modules of mechanisms to what everybody can import for one: package sasl.
// Whatever else they took of this module they would have to be released with.
func TestMechanismsApartImportSASLAlone(t *testing.T) {
	for _, apart := range mechanismsApart(t) {
		files, err := filepath.Glob(filepath.Join("..", "..", apart, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", apart, len(files), err)
		}
		for _, file := range files {
			for _, ours := range importsOf(t, file) {
				if ours != "sasl" && ours != apart {
					t.Errorf("%s imports %s; of this repository it may import sasl", file, ours)
				}
			}
		}
	}
}

// besides are the modules that are released with this one and are neither mechanisms nor commands, and what of this module
// they may import.
var besides = map[string][]string{
	"epistleotel": {"producer", "protocol"},
	"epistleprom": {"producer"},
}

// TestModulesBesidesImportWhatIsOffered holds them to what any program could import, outside of their tests.
func TestModulesBesidesImportWhatIsOffered(t *testing.T) {
	for dir, may := range besides {
		files, err := filepath.Glob("../../" + dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, file := range files {
			for _, ours := range importsOf(t, file) {
				if !slices.Contains(may, ours) && !strings.HasSuffix(file, "_test.go") {
					t.Errorf("%s imports %s; of this repository it may import %v", file, ours, may)
				}
			}
		}
	}
}

// TestTheFullCommandHasAllMechanisms holds the second build of the command to being the first one with every mechanism that is
// a module of its own, and what reads properties to knowing them: that tells users of the first one how to get the second.
func TestTheFullCommandHasAllMechanisms(t *testing.T) {
	files, err := filepath.Glob("../../" + fullCommand + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(file string) bool { return strings.HasSuffix(file, "_test.go") })
	if len(files) != 1 {
		t.Fatalf("%s has the files %v, want main.go alone", fullCommand, files)
	}
	got, want := importsOf(t, files[0]), append(mechanismsApart(t), command+"/internal/app")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s imports %v, want %v", fullCommand, got, want)
	}
	known, err := os.ReadFile("../properties/login.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, apart := range mechanismsApart(t) {
		if !strings.Contains(string(known), "repository + "+strconv.Quote(apart)) {
			t.Errorf("internal/properties does not know %s", apart)
		}
	}
}

// standard says whether a package belongs to the standard library: its first element has no dot.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// below says whether a package is one of the roots or inside one of them.
func below(importPath string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return importPath == root || strings.HasPrefix(importPath, path.Clean(root)+"/")
	})
}
