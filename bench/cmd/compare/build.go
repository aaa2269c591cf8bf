package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/epistle-kafka/epistle/bench/driver"
)

// A builder makes the programs.
type builder struct {
	source string // the directory of this module
	bin    string // where programs go, absolute
}

// all builds the sink and the peers. A peer that cannot be built gets the reason.
func (b *builder) all(peers []*peer) error {
	if err := os.MkdirAll(b.bin, 0o777); err != nil {
		return err
	}
	if err := b.run(b.source, nil, "go", "build", "-o", b.bin+"/", "./cmd/..."); err != nil {
		return err
	}
	for _, p := range peers {
		if p.command, p.missing = p.build(b); p.missing != nil {
			fmt.Printf("left out: %s: %v\n", p.title, p.missing)
		}
	}
	written := map[string]bool{}
	for i := range scenarios {
		s := &scenarios[i]
		path := b.values(s)
		if written[path] {
			continue
		}
		written[path] = true
		if err := driver.Values(s.size, s.ring).WriteFile(path); err != nil {
			return err
		}
	}
	return driver.Keys(16).WriteFile(b.keys())
}

// values is the file of a scenario's values.
func (b *builder) values(s *scenario) string {
	name := fmt.Sprintf("values-%d", s.size)
	if s.ring != driver.RingBytes {
		name += fmt.Sprintf("-%dM", s.ring>>20)
	}
	return filepath.Join(b.bin, name)
}

func (b *builder) keys() string { return filepath.Join(b.bin, "keys-16") }

// run runs a command. Its error has the end of the command's output.
func (b *builder) run(dir string, env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, lastLine(string(out)))
	}
	return nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// goProgram is a program of this module, which all has built.
func goProgram(name string) func(*builder) ([]string, error) {
	return func(b *builder) ([]string, error) { return []string{filepath.Join(b.bin, name)}, nil }
}

func confluent(b *builder) ([]string, error) {
	if _, err := exec.LookPath(compiler()); err != nil {
		return nil, fmt.Errorf("it needs a C compiler: %w", err)
	}
	err := b.run(filepath.Join(b.source, "confluent"), []string{"CGO_ENABLED=1"}, "go", "build", "-o", b.bin+"/", "./cmd/driver-confluent")
	return []string{filepath.Join(b.bin, "driver-confluent")}, err
}

func compiler() string {
	if cc := os.Getenv("CC"); cc != "" {
		return cc
	}
	return "cc"
}

// librdkafka links the driver in C with the library that confluent-kafka-go ships.
func librdkafka(b *builder) ([]string, error) {
	if _, err := exec.LookPath(compiler()); err != nil {
		return nil, fmt.Errorf("it needs a C compiler: %w", err)
	}
	download := exec.Command("go", "mod", "download", "-json", "github.com/confluentinc/confluent-kafka-go/v2")
	download.Dir = filepath.Join(b.source, "confluent")
	out, err := download.Output()
	if err != nil {
		return nil, fmt.Errorf("go mod download: %w", err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return nil, fmt.Errorf("go mod download: %w", err)
	}
	vendor := filepath.Join(module.Dir, "kafka", "librdkafka_vendor")
	kinds := map[string]string{"linux": "glibc_linux", "darwin": "darwin"}
	library := filepath.Join(vendor, fmt.Sprintf("librdkafka_%s_%s.a", kinds[runtime.GOOS], runtime.GOARCH))
	if _, err := os.Stat(library); err != nil {
		return nil, fmt.Errorf("confluent-kafka-go ships no library for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	sources, err := filepath.Glob(filepath.Join(b.source, "c", "*.c"))
	if err != nil {
		return nil, err
	}
	program := filepath.Join(b.bin, "driver-librdkafka")
	args := append([]string{"-std=gnu11", "-O2", "-o", program, "-I" + vendor}, sources...)
	args = append(args, library, "-lm", "-ldl", "-lpthread")
	if runtime.GOOS == "linux" {
		args = append(args, "-lrt")
	}
	return []string{program}, b.run(".", nil, compiler(), args...)
}

func java(b *builder) ([]string, error) {
	if _, err := exec.LookPath("javac"); err != nil {
		return nil, fmt.Errorf("it needs a JDK: %w", err)
	}
	jars, err := b.jars()
	if err != nil {
		return nil, err
	}
	classes := filepath.Join(b.bin, "java")
	path := filepath.Join(jars, "*")
	err = b.run(".", nil, "javac", "-nowarn", "-encoding", "UTF-8", "-cp", path, "-d", classes, filepath.Join(b.source, "java", "Driver.java"))
	return []string{"java", "-cp", classes + string(os.PathListSeparator) + path, "Driver"}, err
}

// jars is the directory of the Java client and what it needs. Maven fills it on the first call, into the user's cache.
func (b *builder) jars() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	pom := filepath.Join(b.source, "java", "pom.xml")
	text, err := os.ReadFile(pom)
	if err != nil {
		return "", err
	}
	_, version, _ := strings.Cut(string(text), "<artifactId>kafka-clients</artifactId><version>")
	version, _, _ = strings.Cut(version, "<")
	dir := filepath.Join(cache, "epistle-bench", "kafka-clients-"+version)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		return "", fmt.Errorf("kafka-clients %s is not in %s, and there is no Maven to fetch it", version, dir)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return "", err
	}
	// The directory is filled beside its place and then renamed, so that a half of it is never taken for the whole.
	filling, err := os.MkdirTemp(filepath.Dir(dir), "filling-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(filling)
	if err := b.run(".", nil, "mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(filling, "jars")); err != nil {
		return "", err
	}
	if err := os.Rename(filepath.Join(filling, "jars"), dir); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return dir, nil
}
