package sasl

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/epistle-kafka/epistle/internal/readfile"
	"github.com/epistle-kafka/epistle/internal/shown"
)

// mostOfFile bounds the files that are read here, in bytes: tokens, passwords, keys.
const mostOfFile = 1 << 20

// A file is a file that code or properties name, and its name in errors.
type file struct{ what, path string }

func (f file) String() string { return "the " + f.what + " " + shown.Name(f.path) }

// read returns the whole file. Its error names the file, and shows nothing of its content. A pipe is refused, since it can be
// read only once.
func (f file) read() ([]byte, error) {
	text, err := readfile.Regular(f.path, mostOfFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%v %w (check the path, and whether what writes it has done so: it is looked for again each time)", f, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%v %w", f, err)
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), nil
}
