// Modproxy writes modules of this repository into a directory that the go command can use as a module proxy, as they would be
// if the working tree were tagged. So a release can be built before there is a tag.
//
//	go -C tools run ./modproxy -version v0.2.0 -to /tmp/proxy .. ../sasl/gssapi
//	go -C tools run ./modproxy -version v0.2.0 -to /tmp/proxy -noreplace ../cmd/epistle/full/epistle
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

func main() {
	version := flag.String("version", "", "the version that the modules get")
	to := flag.String("to", "", "the directory of the proxy; file:// and its path is what GOPROXY takes")
	noReplace := flag.Bool("noreplace", false, "leave out the replace lines of go.mod, with which go install takes no module")
	flag.Parse()
	if *version == "" || *to == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: modproxy -version VERSION -to DIRECTORY [-noreplace] MODULE…")
		os.Exit(2)
	}
	for _, dir := range flag.Args() {
		if err := offer(dir, *version, *to, *noReplace); err != nil {
			fmt.Fprintf(os.Stderr, "modproxy: %s: %v\n", dir, err)
			os.Exit(1)
		}
	}
}

// offer writes the four files that a proxy has for a version.
func offer(dir, version, to string, noReplace bool) error {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err == nil && noReplace {
		mod, err = withoutReplace(mod)
	}
	if err != nil {
		return err
	}
	m := module.Version{Path: modfile.ModulePath(mod), Version: version}
	if err := module.Check(m.Path, m.Version); err != nil {
		return err
	}
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		return err
	}
	files, err := filesOf(dir)
	if err != nil {
		return err
	}
	at := filepath.Join(to, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	offered := filepath.Join(at, version+".mod")
	if err := os.WriteFile(offered, mod, 0o644); err != nil {
		return err
	}
	for i := range files {
		if f, ok := files[i].(file); ok && f.name == "go.mod" {
			files[i] = file{f.name, offered} // the archive has the same one
		}
	}
	var archive bytes.Buffer
	if err := zip.Create(&archive, m, files); err != nil {
		return err
	}
	info := fmt.Sprintf("{\"Version\":%q,\"Time\":%q}\n", version, time.Now().UTC().Format(time.RFC3339))
	return errors.Join(
		os.WriteFile(filepath.Join(at, "list"), []byte(version+"\n"), 0o644),
		os.WriteFile(filepath.Join(at, version+".info"), []byte(info), 0o644),
		os.WriteFile(filepath.Join(at, version+".zip"), archive.Bytes(), 0o644),
	)
}

// withoutReplace removes the replace lines from a go.mod.
func withoutReplace(mod []byte) ([]byte, error) {
	f, err := modfile.Parse("go.mod", mod, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range f.Replace {
		if err := f.DropReplace(r.Old.Path, r.Old.Version); err != nil {
			return nil, err
		}
	}
	f.Cleanup()
	return f.Format()
}

// filesOf lists what a commit of the working tree would have below dir, without the modules inside it.
func filesOf(dir string) ([]zip.File, error) {
	git := exec.Command("git", "ls-files", "-z", "-co", "--exclude-standard")
	git.Dir, git.Stderr = dir, os.Stderr
	out, err := git.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	var nested []string
	for _, name := range names {
		if inside, ok := strings.CutSuffix(name, "/go.mod"); ok {
			nested = append(nested, inside+"/")
		}
	}
	var files []zip.File
next:
	for _, name := range names {
		for _, inside := range nested {
			if strings.HasPrefix(name, inside) {
				continue next
			}
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() { // what is deleted is in git's index still
			files = append(files, file{name, path})
		}
	}
	return files, nil
}

// A file is one of a module's, by its name there and where it lies.
type file struct{ name, path string }

func (f file) Path() string                 { return f.name }
func (f file) Lstat() (os.FileInfo, error)  { return os.Lstat(f.path) }
func (f file) Open() (io.ReadCloser, error) { return os.Open(f.path) }
