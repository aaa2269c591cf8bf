package perf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/lines"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// payload is the content of a record from a file.
type payload struct {
	headers    []producer.Header
	key, value []byte
}

func (p *payload) size() int { return len(p.key) + len(p.value) }

// maxPayloads bounds the memory that a file of payloads takes.
const maxPayloads = 1 << 30 // bytes

// payloads reads those of --payload-file; nil without it.
func (o *options) payloads(env *cli.Env) ([]payload, error) {
	if o.payloadFile == "" {
		return nil, nil
	}
	delimiter, err := lines.Unescape(o.payloadDelimiter)
	if err != nil || delimiter == "" {
		return nil, cli.Usagef("--payload-delimiter %q: want a text that is between payloads, such as \\n", o.payloadDelimiter)
	}
	splitter, err := o.splitter()
	if err != nil {
		return nil, err
	}
	name, in := ui.Plain(o.payloadFile), env.Stdin
	if o.payloadFile == "-" {
		name = lines.StdinName
		if env.StdinClosed {
			return nil, cli.Usagef("--payload-file -: standard input is closed")
		}
	} else {
		f, err := os.Open(o.payloadFile)
		if err != nil {
			return nil, cli.Usagef("--payload-file: %v", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(lines.Unpacked(in, name, append(splitter.Delimiters(), delimiter...), env.Say), maxPayloads+1))
	switch {
	case err != nil:
		return nil, cli.Usagef("--payload-file: %v", err)
	case len(text) > maxPayloads:
		return nil, cli.Usagef("--payload-file: %s has more than %s, and is to be held in memory; a part of it will do", name, ui.Megabytes(maxPayloads))
	}
	list, lacking := cutPayloads(text, []byte(delimiter), &splitter, o.fixed)
	if len(list) == 0 {
		return nil, cli.Usagef("--payload-file: %s is empty", name)
	}
	lacking.tell(env, &splitter, len(list))
	return list, nil
}

// lacking counts payloads that are sent without headers, or without a key, although they were to have them.
type lacking struct{ headers, key lack }

type lack struct{ count, first int } // the first payload is 1

func (l *lack) note(it bool, number int) {
	if !it {
		return
	}
	if l.count++; l.count == 1 {
		l.first = number
	}
}

// tell says so.
func (l *lacking) tell(env *cli.Env, splitter *lines.Splitter, of int) {
	for _, what := range []struct {
		lack
		delimiter []byte
		name, has string
	}{{l.headers, splitter.Headers, "header", "headers"}, {l.key, splitter.Key, "key", "a key"}} {
		if what.count > 0 {
			env.Say("note: payloads without the %s delimiter %s, and so without %s: %s of %s (first: payload %s)", what.name,
				protocol.Quoted(string(what.delimiter)), what.has, ui.Count(int64(what.count)), ui.Count(int64(of)), ui.Count(int64(what.first)))
		}
	}
}

// cutPayloads makes records of a text. A delimiter at its end has nothing after it.
func cutPayloads(text, delimiter []byte, splitter *lines.Splitter, fixed []producer.Header) (list []payload, without lacking) {
	text = bytes.TrimSuffix(text, delimiter)
	if len(text) == 0 {
		return nil, without
	}
	for part := range bytes.SplitSeq(text, delimiter) {
		var p payload
		var lacks lines.Lacks
		p.headers, p.key, p.value, lacks = splitter.Split(part)
		p.headers = append(p.headers[:len(p.headers):len(p.headers)], fixed...)
		list = append(list, p)
		without.headers.note(lacks.Headers, len(list))
		without.key.note(lacks.Key, len(list))
	}
	return list, without
}

func (o *options) splitter() (s lines.Splitter, err error) {
	key, keyErr := lines.Unescape(o.keyDelimiter)
	headers, headersErr := lines.Unescape(o.headerDelimiter)
	if err := errors.Join(keyErr, headersErr); err != nil {
		return s, cli.Usagef("-K %q, --header-delimiter %q: one of them %v", o.keyDelimiter, o.headerDelimiter, err)
	}
	return lines.Splitter{Key: []byte(key), Headers: []byte(headers), EmptyIsNull: o.emptyIsNull}, nil
}

// checkPayloads refuses flags that contradict each other.
func (o *options) checkPayloads() error {
	if o.payloadFile == "" {
		for _, f := range []struct{ name, value string }{{"--payload-delimiter", o.payloadDelimiter}, {"-K/--key-delimiter", o.keyDelimiter}, {"--header-delimiter", o.headerDelimiter}} {
			if f.value != "" && f.value != defaultDelimiter {
				return cli.Usagef("%s is of use only with --payload-file", f.name)
			}
		}
		return nil
	}
	if o.sizesGiven {
		return cli.Usagef("--size and --key-size are for records that are made up; with --payload-file they are as large as they are there")
	}
	return nil
}

// largest is the size of the largest key and value.
func largest(list []payload) (size int) {
	for i := range list {
		size = max(size, list[i].size())
	}
	return size
}

func (o *options) headersForAll() error {
	for _, text := range o.headers {
		h, err := lines.Header(text)
		if err != nil {
			return cli.Usagef("%v", err)
		}
		o.fixed = append(o.fixed, h)
	}
	return nil
}

// told describes the payloads, to explain the figures.
func told(list []payload) string {
	bytes := 0
	for i := range list {
		bytes += list[i].size()
	}
	return fmt.Sprintf("%s of %s on average, in the order of the file, again from the beginning at its end",
		ui.Number(int64(len(list)), "payload"), ui.Number(int64(bytes/len(list)), "byte"))
}
