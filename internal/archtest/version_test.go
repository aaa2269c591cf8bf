package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOneVersion demands that the library says of itself, to brokers and to users, the version that its modules require of one
// another: the one that is released next. CHANGELOG.md calls that Unreleased until it is released, and by its name then.
func TestOneVersion(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	found := regexp.MustCompile(`(?m)^const Version = "(.+)"$`).FindStringSubmatch(read("producer/producer.go"))
	if found == nil {
		t.Fatal("producer has no Version")
	}
	version := "v" + found[1]
	modules, err := filepath.Glob("../../sasl/*/go.mod")
	if err != nil || len(modules) == 0 {
		t.Fatalf("%d modules, %v", len(modules), err)
	}
	for _, name := range modules {
		text := read(strings.TrimPrefix(filepath.ToSlash(name), "../../"))
		if !regexp.MustCompile(`(?m)^\s*(?:require )?` + regexp.QuoteMeta(module+" "+version) + `$`).MatchString(text) {
			t.Errorf("%s does not require %s, which producer.Version is: sh scripts/release.sh set VERSION writes both", name, version)
		}
	}
	sections := regexp.MustCompile(`(?m)^## (\S+)`).FindAllStringSubmatch(read("CHANGELOG.md"), -1)
	for i, section := range sections {
		switch name := section[1]; {
		case i == 0 && name != "Unreleased" && name != version:
			t.Errorf("CHANGELOG.md begins with %s, want Unreleased or %s, which producer.Version is", name, version)
		case i > 0 && name == version:
			t.Errorf("CHANGELOG.md has %s as released, which producer.Version is still", name)
		}
	}
}
