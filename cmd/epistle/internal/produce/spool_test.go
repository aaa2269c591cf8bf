package produce

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// fullDisk takes so many bytes.
type fullDisk struct{ left int }

func (d *fullDisk) Write(b []byte) (int, error) {
	n := min(d.left, len(b))
	d.left -= n
	if n < len(b) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

// Lines that their file does not take are not lost: they go to standard error, from the first byte that is missing.
func TestAFullDiskDropsNothing(t *testing.T) {
	var stderr bytes.Buffer
	env := &cli.Env{Screen: ui.NewScreen(&stderr, false, nil)}
	s := &spool{env: env, name: "failed.txt", w: &fullDisk{left: 7}}
	s.Write([]byte("first\nsecond\n"))
	s.flush()
	s.Write([]byte("third\n"))
	s.flush()
	got := stderr.String()
	if !strings.HasPrefix(got, "epistle: failed.txt cannot be written: no space left on device") || !strings.HasSuffix(got, "\necond\nthird\n") {
		t.Errorf("standard error = %q, want the failure and what the file lacks", got)
	}
}

// FuzzSpool: whatever is written, flushed or not, and wherever the disk is full, each byte is on the disk or on standard error,
// in order and once.
func FuzzSpool(f *testing.F) {
	f.Add([]byte("first\nsecond\n"), uint16(3), uint32(7))
	f.Add([]byte(""), uint16(0), uint32(0))
	f.Add(bytes.Repeat([]byte("line\n"), 50_000), uint16(60_000), uint32(100_000))
	f.Fuzz(func(t *testing.T, content []byte, piece uint16, room uint32) {
		var stderr bytes.Buffer
		disk := &keepingDisk{left: int(room)}
		s := &spool{env: &cli.Env{Screen: ui.NewScreen(&stderr, false, nil)}, name: "f", w: disk}
		for i, rest := 0, content; len(rest) > 0; i++ {
			n := min(1+(int(piece)*(i+1))%8192, len(rest))
			s.Write(rest[:n])
			rest = rest[n:]
			if (int(piece)+i)%5 == 0 {
				s.flush()
			}
		}
		s.flush()
		if len(s.buf) != 0 || s.size != int64(len(content)) {
			t.Fatalf("%d bytes are left, %d of %d were counted", len(s.buf), s.size, len(content))
		}
		screen := stderr.Bytes()
		if s.lost {
			_, after, found := bytes.Cut(screen, []byte("\n")) // the line that says so
			if !found {
				t.Fatalf("standard error = %q", screen)
			}
			screen = after
		}
		if got := append(disk.has, screen...); !bytes.Equal(got, content) {
			t.Fatalf("%d bytes on the disk and %d on standard error are not the %d that were written", len(disk.has), len(screen), len(content))
		}
	})
}

// keepingDisk is a fullDisk that can be read.
type keepingDisk struct {
	left int
	has  []byte
}

func (d *keepingDisk) Write(b []byte) (int, error) {
	disk := fullDisk{d.left}
	n, err := disk.Write(b)
	d.left = disk.left
	d.has = append(d.has, b[:n]...)
	return n, err
}

// FuzzReader: the lines of an input are those between its newlines, however it is read, and however long a line may be.
func FuzzReader(f *testing.F) {
	f.Add([]byte("one\ntwo\r\n\nlast"), uint8(3), uint16(2))
	f.Add(bytes.Repeat([]byte("x\n"), 3000), uint8(255), uint16(1000))
	f.Fuzz(func(t *testing.T, content []byte, piece uint8, longest uint16) {
		in := io.Reader(&pieces{bytes.NewReader(content), 1 + int(piece)})
		got := readAll(t, in, 1+int(longest), rand.New(rand.NewPCG(1, uint64(piece))))
		want := strings.Split(string(content), "\n")
		if want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q is cut into %q, want %q", content, got, want)
		}
	})
}

// pieces gives a few bytes at a time.
type pieces struct {
	io.Reader
	most int
}

func (p *pieces) Read(b []byte) (int, error) { return p.Reader.Read(b[:min(len(b), p.most)]) }
