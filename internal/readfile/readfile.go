// Package readfile reads the small files that settings name: tokens, passwords, keys, stores, properties.
package readfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrNotRegular says that a path leads to a pipe, a socket or a device. To open it might wait for ever, it might have no end,
// and it could be read only once.
var ErrNotRegular = errors.New("is no regular file")

// Regular returns the content of a regular file of at most most bytes. Its error goes on after the name of the file, which it
// does not have, and shows nothing of the content.
func Regular(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, unreadable(err)
	case info.IsDir():
		return nil, errors.New("is a directory")
	case !info.Mode().IsRegular():
		return nil, ErrNotRegular
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, unreadable(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	switch {
	case err != nil:
		return nil, unreadable(err)
	case int64(len(data)) > most:
		return nil, fmt.Errorf("has more than %d bytes", most)
	}
	return data, nil
}

func unreadable(err error) error { return fmt.Errorf("cannot be read: %w", Reason(err)) }

// Reason is what is wrong with a file, without its name, which a message has already.
func Reason(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Err
	}
	return err
}
