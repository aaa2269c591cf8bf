package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// frameReader cuts a stream into frames: four bytes of length, big endian, then that many bytes.
type frameReader struct {
	r     *bufio.Reader
	limit int    // largest length taken
	spare []byte // memory for the next frame, from reuse; nil = none
}

const (
	readBufferSize = 16 << 10 // bytes; holds the answers to many produce requests
	minFrameSize   = 4        // bytes of the correlation id, which every response has
	// A longer frame is read in pieces of growing size, so that memory is taken for bytes that have come, and not for those
	// that the length promises.
	maxTrustedSize = 1 << 20
	maxKeptFrame   = 64 << 10 // bytes; a larger frame is an exception, and its memory is not kept
)

func newFrameReader(r io.Reader, limit int) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, readBufferSize), limit: limit}
}

// next returns the next frame without its length. The memory belongs to the caller, and decoded messages may alias it for ever.
// The error is io.EOF at the end of the stream, one that matches io.ErrUnexpectedEOF inside a frame, and a *FrameError for a
// length that no broker sends.
func (f *frameReader) next() ([]byte, error) {
	prefix, err := f.r.Peek(4)
	if err != nil {
		if len(prefix) > 0 && err == io.EOF {
			err = fmt.Errorf("the stream ends %d bytes into a response: %w", len(prefix), io.ErrUnexpectedEOF)
		}
		return nil, err
	}
	size := int32(binary.BigEndian.Uint32(prefix))
	if size < minFrameSize || int64(size) > int64(f.limit) {
		return nil, f.badLength(size)
	}
	f.r.Discard(4) // cannot fail: the bytes are in the buffer
	frame, err := f.read(int(size))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the stream ends %d bytes into a response of %d: %w", len(frame), size, io.ErrUnexpectedEOF)
	}
	return frame, err
}

// read returns size bytes, or with an error as many as came.
func (f *frameReader) read(size int) ([]byte, error) {
	var frame []byte
	if size <= cap(f.spare) {
		frame, f.spare = f.spare[:size], nil
	} else {
		frame = make([]byte, min(size, maxTrustedSize))
	}
	n, err := io.ReadFull(f.r, frame)
	for err == nil && n < size {
		grown := make([]byte, min(size, 2*len(frame)))
		copy(grown, frame)
		frame = grown
		var m int
		m, err = io.ReadFull(f.r, frame[n:])
		n += m
	}
	return frame[:n], err
}

// reuse takes back a frame that nothing refers to any more, for its memory.
func (f *frameReader) reuse(frame []byte) {
	if cap(frame) <= maxKeptFrame && cap(frame) > cap(f.spare) {
		f.spare = frame
	}
}

// badLength describes a stream that begins with an impossible length. It looks at what has already arrived, and does not wait
// for more.
func (f *frameReader) badLength(size int32) *FrameError {
	first, _ := f.r.Peek(min(f.r.Buffered(), 16))
	return &FrameError{Size: size, Limit: f.limit, First: bytes.Clone(first)}
}

// FrameError says that the other end has sent something that cannot be a response of a Kafka broker.
type FrameError struct {
	Size  int32  // the first four bytes, read as the length of a frame
	Limit int    // the largest length that is taken, in bytes
	First []byte // the first bytes, at least 4, the length included
}

// Error says what the other end seems to speak.
func (e *FrameError) Error() string {
	speaks := e.Speaks()
	if speaks == "" {
		return fmt.Sprintf("a response cannot have %d bytes (4 to %d): its first bytes are %q", e.Size, e.Limit, e.First)
	}
	return fmt.Sprintf("the other end seems to speak %s: its first bytes are %q", speaks, e.First)
}

// Speaks returns the protocol that the first bytes look like, "" if they look like none that is known here.
func (e *FrameError) Speaks() string {
	switch {
	case bytes.HasPrefix(e.First, []byte{0x15, 0x03}), bytes.HasPrefix(e.First, []byte{0x16, 0x03}):
		return "TLS" // an alert, or a handshake
	case bytes.HasPrefix(e.First, []byte("HTTP")):
		return "HTTP"
	case bytes.HasPrefix(e.First, []byte("SSH-")):
		return "SSH"
	}
	return ""
}
