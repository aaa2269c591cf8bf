// Archives builds the command line for several platforms, and packs each as others download it:
//
//	go -C tools run ./archives -to ../dist
//
// The same commit gives the same bytes, on whatever machine and in whatever directory: binaries hold no path and no time, files
// have the time of the commit, and no owner. SHA256SUMS has the digests, in the form that sha256sum -c reads.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A platform is one that the command is built for.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

var platforms = []platform{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}}

// Beside the binary each archive has these files of the repository.
var besides = []string{"LICENSE", "README.md", "CHANGELOG.md"}

func main() {
	to := flag.String("to", "dist", "the `directory` of the archives; it is made")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := all(ctx, *to, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "archives:", err)
		os.Exit(1)
	}
}

// all makes the archives of all platforms.
func all(ctx context.Context, to string, out io.Writer) error {
	root, err := output(ctx, "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	at, err := commitTime(ctx)
	if err != nil {
		return err
	}
	version, err := version(root)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	var sums strings.Builder
	for _, p := range platforms {
		fmt.Fprintf(out, "%s …\n", p)
		began := time.Now()
		name, err := one(ctx, root, to, version, p, at)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		file, err := os.ReadFile(filepath.Join(to, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(file), name)
		fmt.Fprintf(out, "%s: %s, %.1f MB, %.0f s\n", p, name, float64(len(file))/1e6, time.Since(began).Seconds())
	}
	return os.WriteFile(filepath.Join(to, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// one builds for a platform and packs what it has built. It returns the archive's name.
func one(ctx context.Context, root, to, version string, p platform, at time.Time) (string, error) {
	scratch, err := os.MkdirTemp("", "archives")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	binary := "epistle"
	if p.os == "windows" {
		binary += ".exe"
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", filepath.Join(scratch, binary), ".")
	build.Dir = filepath.Join(root, "cmd", "epistle", "full", "epistle")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch, "GOFLAGS=-mod=readonly", "GOAMD64=v1", "GOARM64=v8.0")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, text)
	}
	name := fmt.Sprintf("epistle_%s_%s_%s", version, p.os, p.arch)
	files := []file{{name: binary, path: filepath.Join(scratch, binary), mode: 0o755}}
	for _, f := range besides {
		files = append(files, file{name: f, path: filepath.Join(root, f), mode: 0o644})
	}
	pack := tarGzip
	archive := name + ".tar.gz"
	if p.os == "windows" {
		pack, archive = zipped, name+".zip"
	}
	return archive, create(filepath.Join(to, archive), func(w io.Writer) error { return pack(w, name, files, at) })
}

// create writes a file that is there whole or not at all.
func create(path string, write func(io.Writer) error) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".archive")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	err = errors.Join(write(temp), temp.Chmod(0o644), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// version is what the program calls itself.
func version(root string) (string, error) {
	file := filepath.Join(root, "producer", "producer.go")
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	_, rest, found := strings.Cut(string(text), "\nconst Version = \"")
	version, _, ends := strings.Cut(rest, "\"")
	if !found || !ends {
		return "", fmt.Errorf("%s does not declare const Version", file)
	}
	return version, nil
}

// commitTime is the time that files get: SOURCE_DATE_EPOCH, or that of the commit.
func commitTime(ctx context.Context) (time.Time, error) {
	seconds := os.Getenv("SOURCE_DATE_EPOCH")
	if seconds == "" {
		var err error
		if seconds, err = output(ctx, "git", "log", "-1", "--format=%ct"); err != nil {
			return time.Time{}, err
		}
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("the time of the commit: %w", err)
	}
	return time.Unix(n, 0).UTC(), nil
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
