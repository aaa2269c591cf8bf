package produce

import (
	"bytes"
	"fmt"
	"os"
	"sync"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/lines"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// remarks counts lines that are sent, and yet may be other than the user thinks: without the key, the headers or the end that
// lines were to have. The summary tells how many there are, and the first lines tell it at once if all of them are so.
type remarks struct {
	env  *cli.Env
	seen int64 // lines; of the goroutine that sends

	mu                     sync.Mutex // guards the following; held while writing
	key, headers, returned remark
}

// remark is one thing that lines have in common.
type remark struct {
	what  string // follows a number of lines
	count int64
	first string // where it came up
}

// manyLines is how many lines tell at the beginning what all of them lack.
const manyLines = 20

func newRemarks(env *cli.Env, splitter *lines.Splitter) *remarks {
	return &remarks{
		env:      env,
		key:      remark{what: fmt.Sprintf("without the key delimiter %s, and so without a key", protocol.Quoted(string(splitter.Key)))},
		headers:  remark{what: fmt.Sprintf("without the header delimiter %s, and so without headers", protocol.Quoted(string(splitter.Headers)))},
		returned: remark{what: `with a carriage return before the newline, which is part of the value (tr -d '\r' takes it away)`},
	}
}

// look notes what is remarkable about a line. One goroutine calls it.
func (r *remarks) look(l *line, lacks lines.Lacks) {
	r.seen++
	returns := bytes.HasSuffix(l.text, []byte{'\r'})
	if !lacks.Key && !lacks.Headers && !returns {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.note(&r.key, lacks.Key, l)
	r.note(&r.headers, lacks.Headers, l)
	r.note(&r.returned, returns, l)
}

func (r *remarks) note(of *remark, it bool, l *line) {
	if !it {
		return
	}
	if of.count++; of.count == 1 {
		of.first = l.source.at(l.number)
	}
	if of.count == manyLines && r.seen == manyLines {
		r.env.Say("note: the first %d lines are %s", manyLines, of.what)
	}
}

// report is for the summary.
func (r *remarks) report(read int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range []*remark{&r.headers, &r.key, &r.returned} {
		if of.count > 0 {
			r.env.Say("  lines %s: %s of %s (first: %s)", of.what, ui.Count(of.count), ui.Count(read), of.first)
		}
	}
}

// recordOf makes the record of a line, and notes what is remarkable about it.
func (j *job) recordOf(l *line) producer.Record {
	rec := j.record
	headers, key, value, lacks := j.splitter.Split(l.text)
	lacks.Key = lacks.Key && !j.options.keyGiven
	j.remarks.look(l, lacks)
	rec.Value = value
	if key != nil || !j.options.keyGiven {
		rec.Key = key
	}
	if len(headers) > 0 {
		rec.Headers = append(headers, rec.Headers...)
	}
	return rec
}

// lacking is the error of a line that has no key or no headers, although kafka-console-producer's properties demand them.
func (o *options) lacking(splitter *lines.Splitter, l *line) error {
	if !o.headersDemanded && !o.keyDemanded {
		return nil
	}
	_, _, _, lacks := splitter.Split(l.text)
	const what = "line %d has no %s %s, which --property %s=true demands: put the delimiter right with --property %s=…, or send such lines %s with --property ignore.error=true"
	switch {
	case lacks.Headers && o.headersDemanded:
		return fmt.Errorf(what, l.number, "header delimiter", protocol.Quoted(string(splitter.Headers)), "parse.headers", "headers.delimiter", "without headers")
	case lacks.Key && o.keyDemanded:
		return fmt.Errorf(what, l.number, "key separator", protocol.Quoted(string(splitter.Key)), "parse.key", "key.separator", "without a key")
	}
	return nil
}

// demand refuses a line that lacks what is demanded. It is handed back, and the error ends the reading.
func (j *job) demand(l *line) error {
	err := j.options.lacking(&j.splitter, l)
	if err != nil {
		j.undelivered.add(l, &producer.AdmissionError{Topic: j.record.Topic, Err: err})
	}
	return err
}

// warnOfFiles tells of a delimiter that is the name of a file, whose own delimiter was probably left out.
func (o *options) warnOfFiles(env *cli.Env) {
	for _, d := range []struct{ flag, text string }{{"-K", o.delimiter}, {"--header-delimiter", o.headerDelimiter}} {
		if info, err := os.Stat(d.text); len(d.text) > 1 && err == nil && info.Mode().IsRegular() {
			env.Say("note: %s %s is the name of a file here; is the delimiter missing?", d.flag, protocol.Quoted(d.text))
		}
	}
}
