package sasl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// mostOfFile bounds the files that are read here, in bytes: tokens, passwords, keys.
const mostOfFile = 1 << 20

// readFile returns a whole small file. what names it in errors, which show nothing that it holds. A pipe is refused: it
// could be read once, and its open might wait for ever.
func readFile(what, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileError(what, path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the %s %s is not a regular file", what, path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fileError(what, path, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mostOfFile+1))
	if err != nil {
		return nil, fileError(what, path, err)
	}
	if len(text) > mostOfFile {
		return nil, fmt.Errorf("the %s %s has more than %d bytes: is it another file?", what, path, mostOfFile)
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), nil
}

// fileError says once which file it is.
func fileError(what, path string, err error) error {
	if detail, ok := errors.AsType[*fs.PathError](err); ok {
		err = detail.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the %s %s cannot be read: %w (check the path, and whether what writes it has done so: it is looked for again each time)", what, path, err)
	}
	return fmt.Errorf("the %s %s cannot be read: %w", what, path, err)
}
