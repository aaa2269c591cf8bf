package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The same files give the same bytes, wherever and whenever they are packed.
func TestArchivesAreReproducible(t *testing.T) {
	at := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	packed := func(pack func(io.Writer, string, []file, time.Time) error) []byte {
		dir := t.TempDir()
		files := []file{{"epistle", filepath.Join(dir, "a"), 0o755}, {"README.md", filepath.Join(dir, "b"), 0o644}}
		for _, f := range files {
			if err := os.WriteFile(f.path, []byte(f.name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var b bytes.Buffer
		if err := pack(&b, "epistle_1", files, at); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, pack := range map[string]func(io.Writer, string, []file, time.Time) error{"tar": tarGzip, "zip": zipped} {
		if !bytes.Equal(packed(pack), packed(pack)) {
			t.Errorf("%s: two archives of the same differ", name)
		}
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed(tarGzip)))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(unzipped)
	for _, want := range []struct {
		name string
		mode int64
	}{{"epistle_1/epistle", 0o755}, {"epistle_1/README.md", 0o644}} {
		h, err := r.Next()
		if err != nil || h.Name != want.name || h.Mode != want.mode || !h.ModTime.Equal(at) || h.Uname != "" {
			t.Errorf("the archive has %+v, %v, want %+v", h, err, want)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("the archive goes on: %v", err)
	}
	z := packed(zipped)
	zr, err := zip.NewReader(bytes.NewReader(z), int64(len(z)))
	if err != nil {
		t.Fatal(err)
	}
	if f := zr.File[0]; f.Name != "epistle_1/epistle" || f.Mode() != 0o755 || !f.Modified.Equal(at) {
		t.Errorf("the archive has %+v, %v", f.FileHeader, f.Mode())
	}
}

func TestVersion(t *testing.T) {
	if v, err := version(filepath.Join("..", "..")); err != nil || v == "" {
		t.Errorf("the version is %q, %v", v, err)
	}
	if _, err := version(t.TempDir()); err == nil {
		t.Error("a directory without the producer has a version")
	}
}
