package produce

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// undelivered is where lines go that were not acknowledged: as they were read, to a file that can be sent again, with the
// reasons in another beside it, or both to standard error.
type undelivered struct {
	env     *cli.Env
	lines   *spool // nil: standard error
	reasons *spool // nil: standard error
	files   []*os.File

	mu     sync.Mutex // guards the following and the spools; held while writing
	count  int64
	maybe  int64            // of these, lines that may be in the log all the same, or committed
	doubt  string           // which of the two
	causes map[string]int64 // how many lines for each cause
}

// reasonsSuffix makes the name of the file with the reasons.
const reasonsSuffix = ".reasons"

// maxCauses bounds the causes that are told apart.
const maxCauses = 50

// openUndelivered opens what --failed-to names, which may be "" for standard error and "-" for standard output.
func openUndelivered(env *cli.Env, name string) (*undelivered, error) {
	u := &undelivered{env: env, causes: make(map[string]int64)}
	switch name {
	case "":
		return u, nil
	case "-":
		u.lines = &spool{env: env, name: "standard output", w: env.Stdout}
		return u, nil
	}
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		return nil, cli.Usagef("--failed-to: %s is not empty, and may hold lines that were not delivered earlier; name another file", name)
	}
	for _, to := range []struct {
		spool **spool
		name  string
	}{{&u.lines, name}, {&u.reasons, name + reasonsSuffix}} {
		f, err := os.Create(to.name)
		if err != nil {
			u.close()
			return nil, cli.Usagef("--failed-to: %v", err)
		}
		u.files = append(u.files, f)
		*to.spool = &spool{env: env, name: to.name, w: f}
	}
	return u, nil
}

// add keeps a line. Text is without its newline, and may be reused afterwards.
func (u *undelivered) add(source *source, number int64, text []byte, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.explain(source, number, err)
	out := u.out()
	out.Write(text)
	io.WriteString(out, "\n")
	u.settle(out)
}

// addFrom keeps a line that copy writes.
func (u *undelivered) addFrom(source *source, number int64, err error, copy func(io.Writer) error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.explain(source, number, err)
	out := u.out()
	copyErr := copy(out)
	io.WriteString(out, "\n")
	u.settle(out)
	return copyErr
}

// out is what a line is written to; standard error gets it in one piece with its newline.
func (u *undelivered) out() io.Writer {
	if u.lines != nil {
		return u.lines
	}
	return &spool{env: u.env, w: u.env.Screen}
}

func (u *undelivered) settle(out io.Writer) {
	if u.lines == nil {
		out.(*spool).flush()
	}
}

func (u *undelivered) explain(source *source, number int64, err error) {
	u.count++
	fate, doubt := fate(err)
	if doubt != "" {
		u.maybe++
		u.doubt = doubt
	}
	u.tally(cause(err))
	if u.reasons == nil {
		u.env.Say("%s was not delivered: %v", source.at(number), err)
		return
	}
	if u.count == 1 {
		io.WriteString(u.reasons, "# line\tread from\tfate\treason\n")
	}
	text := strings.NewReplacer("\n", " ", "\t", " ").Replace(err.Error())
	fmt.Fprintf(u.reasons, "%d\t%s\t%s\t%s\n", u.count, source.at(number), fate, text)
}

// fate says where a line may be that failed, and in doubt what is not known of it; "" if all is.
func fate(err error) (word, doubt string) {
	lost, ok := errors.AsType[*lostError](err)
	switch {
	case ok && lost.maybe:
		return "may-be-committed", "committed"
	case ok:
		return "not-committed", ""
	case producer.MayBeWritten(err):
		return "may-be-written", "in the log"
	}
	return "not-written", ""
}

func (u *undelivered) tally(cause string) {
	if _, known := u.causes[cause]; !known && len(u.causes) >= maxCauses {
		cause = "other reasons"
	}
	u.causes[cause]++
}

// cause is an error without what differs from line to line.
func cause(err error) string {
	if lost, ok := errors.AsType[*lostError](err); ok {
		return lost.head() + cause(lost.err)
	}
	if send, ok := errors.AsType[*producer.SendError](err); ok {
		return send.Err.Error()
	}
	if large, ok := errors.AsType[*producer.RecordTooLargeError](err); ok {
		return "the record is larger than " + large.Key
	}
	if admission, ok := errors.AsType[*producer.AdmissionError](err); ok {
		return admission.Err.Error()
	}
	return err.Error()
}

// flush brings everything to its files.
func (u *undelivered) flush() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, s := range []*spool{u.lines, u.reasons} {
		if s != nil {
			s.flush()
		}
	}
}

// close ends the files. Those that nothing was written to are removed.
func (u *undelivered) close() {
	u.flush()
	for _, f := range u.files {
		err := f.Close()
		info, statErr := os.Stat(f.Name())
		switch {
		case err != nil:
			u.env.Say("%v", err)
		case statErr == nil && info.Mode().IsRegular() && info.Size() == 0:
			os.Remove(f.Name())
		}
	}
	u.files = nil
}

// report tells of the lines that were kept, for the summary.
func (u *undelivered) report(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count == 0 {
		return
	}
	causes := make([]string, 0, len(u.causes))
	for c := range u.causes {
		causes = append(causes, c)
	}
	slices.SortFunc(causes, func(a, b string) int {
		return cmp.Or(cmp.Compare(u.causes[b], u.causes[a]), strings.Compare(a, b))
	})
	const shown = 5
	for i, c := range causes {
		if i == shown {
			u.env.Say("  and for %s", ui.Number(int64(len(causes)-shown), "other reason"))
			break
		}
		u.env.Say("  %s not delivered: %s", ui.Number(u.causes[c], "line"), c)
	}
	switch {
	case name == "" || name == "-":
	default:
		u.env.Say("  the lines are in %s, the reasons in %s", name, name+reasonsSuffix)
	}
	if u.maybe > 0 {
		u.env.Say("  %s of them may be %s all the same: to send them again may write them twice", ui.Count(u.maybe), u.doubt)
	}
}

// failed returns how many lines were kept.
func (u *undelivered) failed() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.count
}
