package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/iotest"
)

// A frame comes out whole, however the stream is cut, and the next begins where it ended.
func TestFramesAcrossReads(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16) // read in several pieces
	var stream []byte
	frames := [][]byte{[]byte("1234"), large, []byte("last frame")}
	for _, f := range frames {
		stream = append(binary.BigEndian.AppendUint32(stream, uint32(len(f))), f...)
	}
	for name, r := range map[string]io.Reader{
		"at once":       bytes.NewReader(stream),
		"data with EOF": iotest.DataErrReader(bytes.NewReader(stream)),
		"in halves":     iotest.HalfReader(bytes.NewReader(stream)),
	} {
		f := newFrameReader(r, maxResponse)
		for i, want := range frames {
			got, err := f.next()
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s: frame %d has %d bytes, error %v, want %d bytes", name, i, len(got), err, len(want))
			}
		}
		if _, err := f.next(); err != io.EOF {
			t.Errorf("%s: after the last frame: %v, want EOF", name, err)
		}
	}
}

// Frames do not share memory: what was decoded from one outlives the next.
func TestFramesDoNotShareMemory(t *testing.T) {
	f := newFrameReader(bytes.NewReader([]byte("\x00\x00\x00\x04aaaa\x00\x00\x00\x04bbbb")), 100)
	first, _ := f.next()
	if _, err := f.next(); err != nil || string(first) != "aaaa" {
		t.Errorf("first frame after the second was read: %q, %v, want aaaa", first, err)
	}
}

// A length costs nothing until its bytes come.
func TestHugeLengthAllocatesLittle(t *testing.T) {
	var before, after runtime.MemStats
	f := newFrameReader(bytes.NewReader([]byte("\x06\x40\x00\x00abc")), maxResponse)
	runtime.ReadMemStats(&before)
	_, err := f.next()
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want unexpected EOF", err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 2*maxTrustedSize {
		t.Errorf("allocated %d bytes for a frame of which 3 came, want at most %d", got, 2*maxTrustedSize)
	}
}

// Whatever the stream, reading ends, and what comes out is what a plain reading of it gives.
func FuzzFrameReader(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x04aaaa\x00\x00\x00\x05bbbbb"))
	f.Add([]byte("\x00\x00\x00\x03aaa"))
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x46"))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n"))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		const limit = 1 << 10
		r := newFrameReader(bytes.NewReader(stream), limit)
		rest := stream
		for {
			frame, err := r.next()
			var insane *FrameError
			switch {
			case err == nil:
				size := int(binary.BigEndian.Uint32(rest))
				if size < minFrameSize || size > limit || !bytes.Equal(frame, rest[4:4+size]) {
					t.Fatalf("frame %q of %q", frame, rest)
				}
				rest = rest[4+size:]
				continue
			case errors.As(err, &insane):
				if size := int32(binary.BigEndian.Uint32(rest)); size >= minFrameSize && size <= limit {
					t.Fatalf("length %d was refused: %v", size, err)
				}
				if !bytes.HasPrefix(rest, insane.First) || len(insane.First) < 4 || err.Error() == "" {
					t.Fatalf("first bytes %q of %q", insane.First, rest)
				}
			case err == io.EOF:
				if len(rest) != 0 {
					t.Fatalf("EOF with %q left", rest)
				}
			case !errors.Is(err, io.ErrUnexpectedEOF):
				t.Fatalf("error %v", err)
			}
			return
		}
	})
}

// A frame that was given back lends its memory to the next, unless it is too small for that, or too large to be kept.
func TestMemoryOfAFrameIsUsedAgain(t *testing.T) {
	var stream []byte
	sizes := []int{100, 60, 100, 101, 5, maxKeptFrame + 1, 5}
	for i, size := range sizes {
		stream = append(binary.BigEndian.AppendUint32(stream, uint32(size)), bytes.Repeat([]byte{byte(i)}, size)...)
	}
	f := newFrameReader(bytes.NewReader(stream), maxResponse)
	var last []byte
	for i, same := range []bool{false, true, true, false, true, false, false} {
		frame, err := f.next()
		if err != nil || !bytes.Equal(frame, bytes.Repeat([]byte{byte(i)}, sizes[i])) {
			t.Fatalf("frame %d: got %x, %v, want %d bytes of %d", i, frame, err, sizes[i], i)
		}
		if got := last != nil && &frame[0] == &last[0]; got != same {
			t.Errorf("frame %d of %d bytes in the memory of the last: %v, want %v", i, sizes[i], got, same)
		}
		f.reuse(frame)
		last = frame
	}
}
