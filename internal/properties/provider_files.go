package properties

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/internal/readfile"
	"github.com/epistle-kafka/epistle/internal/shown"
)

// maxProvided bounds a file that a provider reads, in bytes: it holds secrets, not data.
const maxProvided = 1 << 20

// fileProvider reads a value out of another file of properties.
type fileProvider struct {
	allowed []string // roots; nil: everything
	read    map[string]map[string]string
}

func (p *fileProvider) lookup(path, key string) (string, error) {
	switch len(path) {
	case 0:
		return "", errors.New("it must name a file: ${name:path:key}")
	case 1:
		return "", errors.New("a path ends at its first colon: write it without a drive, such as /dir/file")
	}
	values, done := p.read[path]
	if !done {
		data, err := readProvided(path, p.allowed)
		if err != nil {
			return "", err
		}
		props, problems := Parse(data)
		if len(problems) > 0 {
			return "", fmt.Errorf("line %d of the file %s", problems[0].Line, problems[0].Rule)
		}
		values = make(map[string]string, len(props))
		for _, one := range props {
			values[one.Key] = one.Value
		}
		if p.read == nil {
			p.read = map[string]map[string]string{}
		}
		p.read[path] = values
	}
	text, ok := values[key]
	if !ok {
		return "", fmt.Errorf("the file has no key %s", shown.Quoted(key))
	}
	return text, nil
}

// directoryProvider reads files whose names are keys and whose contents are values, as Kubernetes mounts secrets.
type directoryProvider struct {
	allowed []string
	trimmed func(path, key string) // is called when a newline at the end was left out
}

func (p *directoryProvider) lookup(path, key string) (string, error) {
	switch {
	case path == "":
		return "", errors.New("it must name a directory: ${name:path:key}")
	case key == "" || key == "." || key == ".." || strings.ContainsAny(key, `/\`):
		return "", errors.New("its last part must be the name of a file in the directory")
	}
	data, err := readProvided(filepath.Join(path, key), p.allowed)
	if err != nil {
		return "", err
	}
	text := string(data)
	short := strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	if short != text {
		p.trimmed(path, key)
	}
	return short, nil
}

// environmentProvider reads variables of the environment.
type environmentProvider struct {
	allowed *regexp.Regexp
	lookUp  func(string) (string, bool)
}

func (p *environmentProvider) lookup(path, name string) (string, error) {
	if path != "" {
		return "", errors.New("a variable of the environment has no path: ${name:VARIABLE}")
	}
	if !p.allowed.MatchString(name) {
		return "", errors.New("allowlist.pattern does not allow it")
	}
	text, ok := p.lookUp(name)
	if !ok {
		return "", fmt.Errorf("the environment has no variable %s", shown.Quoted(name))
	}
	return text, nil
}

// allowedPaths reads allowed.paths: absolute paths that exist. Links are followed, here as in what is read.
func allowedPaths(list string) ([]string, error) {
	var roots []string
	for _, path := range List(list) {
		if !filepath.IsAbs(path) {
			return nil, fmt.Errorf("must be absolute paths: %s is not", shown.Quoted(path))
		}
		root, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil, fmt.Errorf("must be paths that exist: %s: %w", shown.Quoted(path), readfile.Reason(err))
		}
		roots = append(roots, root)
	}
	return roots, nil
}

// readProvided reads a regular file below one of the roots.
func readProvided(path string, roots []string) ([]byte, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", readfile.Reason(err))
	}
	within := func(root string) bool {
		inside, err := filepath.Rel(root, real)
		return err == nil && inside != ".." && !strings.HasPrefix(inside, ".."+string(filepath.Separator))
	}
	if len(roots) > 0 && !slices.ContainsFunc(roots, within) {
		return nil, errors.New("allowed.paths does not allow it")
	}
	data, err := readfile.Regular(real, maxProvided)
	if err != nil {
		return nil, fmt.Errorf("the file %w", err)
	}
	return data, nil
}
