package produce

import (
	"bytes"
	"errors"
	"io"
)

// reader cuts an input into lines. Only a newline ends a line: a carriage return before it is part of the line.
type reader struct {
	pool    *pool
	gate    *gate
	in      io.Reader
	source  *source
	maxLine int // bytes; a longer line is not read as a whole

	block      *block
	start, end int // what is read of block.buf and not cut yet
	scanned    int // up to here there is no newline
	ended      error
}

// errTooLong says that the next line is longer than any record may be. The caller then calls long.
var errTooLong = errors.New("line too long")

// errStopped says that the gate is closed.
var errStopped = errors.New("stopped")

// next returns the next line, which holds a reference to its block, or io.EOF, errTooLong, errStopped or the error of the
// input.
func (r *reader) next() (*line, error) {
	if !r.gate.open() {
		return nil, errStopped
	}
	for {
		if r.block != nil {
			if i := bytes.IndexByte(r.block.buf[r.scanned:r.end], '\n'); i >= 0 {
				end := r.scanned + i
				if end-r.start > r.maxLine { // also where all of it happens to be there already
					return nil, errTooLong
				}
				return r.cut(end, 1), nil
			}
			r.scanned = r.end
		}
		if r.end-r.start > r.maxLine {
			return nil, errTooLong
		}
		if errors.Is(r.ended, io.EOF) && r.end > r.start {
			return r.cut(r.end, 0), nil
		}
		if r.ended != nil {
			return nil, r.ended
		}
		r.fill()
	}
}

// cut makes a line of what is read up to end, which is followed by a newline of that many bytes.
func (r *reader) cut(end, newline int) *line {
	if r.block.cut == len(r.block.lines) {
		moved := r.start
		r.move(blockSize)
		end -= moved
	}
	b := r.block
	l := &b.lines[b.cut]
	b.cut++
	b.refs.Add(1)
	r.source.lines++
	l.text, l.source, l.number = b.buf[r.start:end:end], r.source, r.source.lines
	r.start = end + newline
	r.scanned = r.start
	return l
}

// fill reads more, or sets ended.
func (r *reader) fill() {
	switch {
	case r.block == nil:
		r.block = r.pool.get(blockSize, nil)
	case r.end == len(r.block.buf):
		r.move(2 * (r.end - r.start))
	}
	n, err, stopped := r.gate.read(r.in, r.block.buf[r.end:])
	if stopped {
		r.ended = errStopped
		return
	}
	r.end += n
	r.ended = err
}

// move goes on in another block of at least size bytes, and takes along what was not cut yet.
func (r *reader) move(size int) {
	b := r.pool.get(max(size, r.end-r.start), r.block)
	r.end = copy(b.buf, r.block.buf[r.start:r.end])
	r.scanned -= r.start
	r.start = 0
	r.block.release()
	r.block = b
}

// apart goes on in a block of its own, so that all lines that were cut may come to their end.
func (r *reader) apart() {
	if r.block.cut > 0 {
		r.move(blockSize)
	}
}

// long writes a line that is longer than maxLine to w, without its newline, and returns its length. The next line can be read
// afterwards, unless the input has ended. The error is errStopped or the input's, if reading ended inside of the line.
func (r *reader) long(w io.Writer) (length int64, err error) {
	r.source.lines++
	for {
		rest := r.block.buf[r.start:r.end]
		i := bytes.IndexByte(rest, '\n')
		if i >= 0 {
			rest = rest[:i]
		}
		if _, err := w.Write(rest); err != nil {
			return length, err
		}
		length += int64(len(rest))
		r.start += len(rest)
		if i >= 0 {
			r.start++
			r.scanned = r.start
			return length, nil
		}
		if r.ended != nil {
			r.scanned = r.start
			if errors.Is(r.ended, io.EOF) {
				return length, nil
			}
			return length, r.ended
		}
		if r.block.cut == 0 {
			r.start, r.end, r.scanned = 0, 0, 0
		}
		r.scanned = r.start
		r.fill()
	}
}

// rest returns the beginning of a line in which the input has failed.
func (r *reader) rest() []byte {
	if r.block == nil {
		return nil
	}
	return r.block.buf[r.start:r.end]
}

// close gives the reader's block back.
func (r *reader) close() {
	if r.block != nil {
		r.block.release()
		r.block = nil
	}
}
