package protocol

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
)

// gzipEncoder writes one gzip member for each batch.
type gzipEncoder struct {
	w   *gzip.Writer
	out appender
}

const gzipLevelDefault = gzip.DefaultCompression // -1, as in Java

func newGzipEncoder(level int) (*gzipEncoder, error) {
	w, err := gzip.NewWriterLevel(nil, level)
	if err != nil {
		return nil, err
	}
	return &gzipEncoder{w: w}, nil
}

func (e *gzipEncoder) encode(dst []byte, src [][]byte) ([]byte, error) {
	e.out.b = dst
	defer e.out.release()
	e.w.Reset(&e.out)
	for _, c := range src {
		if _, err := e.w.Write(c); err != nil {
			return nil, err
		}
	}
	if err := e.w.Close(); err != nil {
		return nil, err
	}
	return e.out.b, nil
}

func decompressGzip(dst, src []byte, maxRaw int) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(src))
	if err != nil {
		return nil, err
	}
	dst, err = appendAll(dst, r.Read, maxRaw)
	if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return dst, nil
}

// appender is an io.Writer that appends to a slice.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

// release forgets the slice, which goes back to the caller.
func (a *appender) release() { a.b = nil }
