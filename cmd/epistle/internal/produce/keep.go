package produce

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// keptFile is a file for undelivered lines, or for their reasons.
type keptFile struct {
	*os.File
	made bool // by us, so that it may be removed
}

// ownerOnly is the mode of files that are made: what lines hold is nobody else's business.
const ownerOnly = 0o600

// openKept opens a file for undelivered lines. A file that holds something is never changed: neither overwritten nor removed,
// whatever links lead to it. It waits for the reader of a pipe until ctx ends. regular says that it is a file, and not a device
// or a pipe.
func openKept(ctx context.Context, env *cli.Env, name string) (f *keptFile, regular bool, err error) {
	made, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, ownerOnly)
	if err == nil {
		return &keptFile{made, true}, true, nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return nil, false, err
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, fmt.Errorf("%s is a link that leads to nothing; name another file", ui.Plain(name))
	case err != nil:
		return nil, false, err
	case info.IsDir():
		return nil, false, fmt.Errorf("%s is a directory", ui.Plain(name))
	case info.Mode().IsRegular() && info.Size() > 0:
		return nil, false, fmt.Errorf("%s is not empty, and may hold lines that were not delivered earlier; name another file", ui.Plain(name))
	case info.Mode()&fs.ModeNamedPipe != 0:
		env.Say("waiting for somebody to read the pipe %s", ui.Plain(name))
	}
	there, err := cli.Await(ctx, func() (*os.File, error) {
		return os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	}, func(f *os.File) { f.Close() })
	if err != nil {
		return nil, false, err
	}
	// The file may have been replaced meanwhile.
	if info, err = there.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		err = fmt.Errorf("%s is not empty any more; name another file", ui.Plain(name))
	}
	if err != nil {
		there.Close()
		return nil, false, err
	}
	return &keptFile{there, false}, info.Mode().IsRegular(), nil
}

// end closes the file. It removes a file that we have made and not written to, unless another file has the name by now.
func (f *keptFile) end() error {
	info, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	named, err := os.Lstat(f.Name())
	if f.made && info.Size() == 0 && err == nil && os.SameFile(info, named) {
		return os.Remove(f.Name())
	}
	return nil
}
