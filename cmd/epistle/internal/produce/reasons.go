package produce

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// reason is why lines were not delivered, the same for all of them.
type reason struct {
	number int // from 1, in the order in which they came up
	text   string
	told   bool // its text has been written to the file of reasons
	shown  bool // its text has been shown on the screen
	count  int64
	lines  spans
}

// reasons groups failures by their cause. The number of groups is bounded.
type reasons struct {
	byText map[string]*reason
	list   []*reason
}

// maxReasons bounds the number of reasons. Further ones count as the last.
const maxReasons = 50

func (r *reasons) of(err error) *reason {
	text := cause(err)
	if known := r.byText[text]; known != nil {
		return known
	}
	if len(r.list) >= maxReasons-1 {
		text = "other reasons"
		if known := r.byText[text]; known != nil {
			return known
		}
	}
	if r.byText == nil {
		r.byText = make(map[string]*reason)
	}
	new := &reason{number: len(r.list) + 1, text: text}
	r.byText[text] = new
	r.list = append(r.list, new)
	return new
}

// byCount sorts the reasons, those of most lines first.
func (r *reasons) byCount() []*reason {
	list := slices.Clone(r.list)
	slices.SortStableFunc(list, func(a, b *reason) int { return cmp.Compare(b.count, a.count) })
	return list
}

// givenUp replaces the reason in an error of a record that was given up, as the user has asked for that.
func givenUp(err error) error {
	reason := errors.New("given up on Ctrl-C")
	if lost, ok := errors.AsType[*lostError](err); ok {
		return &lostError{lost.maybe, givenUp(lost.err)}
	}
	if send, ok := errors.AsType[*producer.SendError](err); ok {
		other := *send
		other.Err = reason
		return &other
	}
	if admission, ok := errors.AsType[*producer.AdmissionError](err); ok {
		return &producer.AdmissionError{Topic: admission.Topic, Err: reason}
	}
	return err
}

// cause is the text of an error without what differs from line to line.
func cause(err error) string {
	if lost, ok := errors.AsType[*lostError](err); ok {
		return lost.head() + cause(lost.err)
	}
	if send, ok := errors.AsType[*producer.SendError](err); ok {
		return ui.Text(send.Err.Error())
	}
	if large, ok := errors.AsType[*producer.RecordTooLargeError](err); ok {
		return tooLarge(large)
	}
	if admission, ok := errors.AsType[*producer.AdmissionError](err); ok {
		return ui.Text(admission.Err.Error())
	}
	return ui.Text(err.Error())
}

// tooLarge is why a line is refused that makes a record too large, whatever its size, and what to do about it.
func tooLarge(e *producer.RecordTooLargeError) string {
	text := fmt.Sprintf("the record is larger than %s, %s: raise it with -X %s=…", e.Key, ui.Number(e.Limit, "byte"), e.Key)
	if e.Also != "" {
		text += ", and " + e.Also + " too"
	}
	return text + "; the topic's max.message.bytes must not be below it either"
}

// fate says in a word where a line that failed may be. doubt says what is not known of it; "" if nothing is.
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

// span is a range of lines of one source.
type span struct {
	source   *source
	from, to int64
}

func (s span) String() string {
	if s.from == s.to {
		return strconv.FormatInt(s.from, 10)
	}
	return fmt.Sprintf("%d-%d", s.from, s.to)
}

// spans are lines as ranges. The number of ranges is bounded.
type spans struct {
	list []span
	left int64 // lines in no range, as there would be too many
}

const maxSpans = 64

// add puts in a line. Lines come in any order, though most of them come after the one before them.
func (s *spans) add(source *source, n int64) {
	for i := len(s.list) - 1; i >= 0; i-- {
		at := &s.list[i]
		if at.source != source {
			continue
		}
		switch n {
		case at.to + 1:
			at.to = n
			return
		case at.from - 1:
			at.from = n
			return
		}
	}
	if len(s.list) < maxSpans {
		s.list = append(s.list, span{source, n, n})
		return
	}
	s.left++
}

// sorted joins ranges that have grown together.
func (s *spans) sorted(sources []*source) (joined []span) {
	list := slices.Clone(s.list)
	slices.SortFunc(list, func(a, b span) int {
		return cmp.Or(cmp.Compare(slices.Index(sources, a.source), slices.Index(sources, b.source)), cmp.Compare(a.from, b.from))
	})
	for _, next := range list {
		if n := len(joined); n > 0 && joined[n-1].source == next.source && joined[n-1].to+1 == next.from {
			joined[n-1].to = next.to
			continue
		}
		joined = append(joined, next)
	}
	return joined
}

// where names lines, at most so many ranges of them: "a.txt:1-7,9 b.txt:4 and 12 lines more".
func (s *spans) where(sources []*source, most int) string {
	joined := s.sorted(sources)
	left := s.left
	if len(joined) > most {
		for _, more := range joined[most:] {
			left += more.to - more.from + 1
		}
		joined = joined[:most]
	}
	text := spanList(joined)
	if left > 0 {
		text += " and " + ui.Number(left, "line") + " more"
	}
	return text
}

// spanList names each source once.
func spanList(list []span) string {
	var b strings.Builder
	var at *source
	for i, s := range list {
		switch {
		case i > 0 && s.source == at:
			b.WriteByte(',')
		case i > 0:
			b.WriteByte(' ')
			fallthrough
		default:
			b.WriteString(s.source.name + ":")
		}
		at = s.source
		b.WriteString(s.String())
	}
	return b.String()
}

// reasonsFile writes why lines are in a file. Neighbouring lines with one fate and one reason share a row.
type reasonsFile struct {
	w io.Writer

	why      *reason // of the row that is not written yet; nil: there is none
	fate     string
	from, to int64 // lines of the file
	read     []span
}

// add notes line n of the file.
func (f *reasonsFile) add(n int64, source *source, number int64, fate string, why *reason) {
	if n == 1 {
		io.WriteString(f.w, "# lines\tread from\tfate\treason, with its text where it first comes up\n")
	}
	last := len(f.read) - 1
	goesOn := last >= 0 && f.read[last].source == source && f.read[last].to+1 == number
	if f.why != why || f.fate != fate || !goesOn && len(f.read) == maxSpans {
		f.row()
		f.why, f.fate, f.from = why, fate, n
		goesOn = false
	}
	f.to = n
	if goesOn {
		f.read[last].to = number
		return
	}
	f.read = append(f.read, span{source, number, number})
}

// row writes the row that was begun.
func (f *reasonsFile) row() {
	if f.why == nil {
		return
	}
	text := fmt.Sprintf("[%d]", f.why.number)
	if !f.why.told {
		f.why.told = true
		text += " " + ui.Line(f.why.text)
	}
	fmt.Fprintf(f.w, "%s\t%s\t%s\t%s\n", span{from: f.from, to: f.to}, spanList(f.read), f.fate, text)
	f.why, f.read = nil, f.read[:0]
}
