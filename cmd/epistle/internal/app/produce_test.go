package app

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
)

// compressible is a line that goes out compressed: what would grow does not.
var compressible = strings.Repeat("x", 1000) + "\n"

func TestEachLineBecomesARecord(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("lines", 1))
	first := file(t, "one\n\ntwo\r\nlast without newline")
	second := file(t, "from the second file\n")
	s := epistle(t, 0, "typed\n", "produce", "-b", b, "-t", "lines", first, "-", second)
	want := []string{"<null>=one", "<null>=", "<null>=two\r", "<null>=last without newline", "<null>=typed", "<null>=from the second file"}
	if got := logged(c, "lines"); !slices.Equal(got, want) {
		t.Errorf("log = %q, want %q", got, want)
	}
	s.wantErr("6 lines read, 6 acknowledged, 0 failed")
	if got := s.stdout.String(); got != "" {
		t.Errorf("standard output = %q, want nothing", got)
	}
}

func TestKeysHeadersNullsAndPartition(t *testing.T) {
	for _, test := range []struct {
		name, stdin string
		args        []string
		want        []string
	}{
		{"a key ends at the first delimiter", "k:v:w\n", []string{"-K", ":"}, []string{"k=v:w"}},
		{"attached forms", "k:v\n", []string{"-K:"}, []string{"k=v"}},
		{"a line without delimiter has no key", "value\n", []string{"-K", ":"}, []string{"<null>=value"}},
		{"empty key and value", ":\n", []string{"-K", ":"}, []string{"="}},
		{"empty key and value as null", ":\n", []string{"-K", ":", "-Z"}, []string{"<null>=<null>"}},
		{"a tombstone", "k:\n", []string{"-K", ":", "-Z"}, []string{"k=<null>"}},
		{"an empty line as null", "\n", []string{"-Z"}, []string{"<null>=<null>"}},
		{"a delimiter of several bytes", "a=>b\n", []string{"-K", "=>"}, []string{"a=b"}},
		{"a tab", "a\tb\n", []string{"-K", `\t`}, []string{"a=b"}},
		{"no input", "", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, b := brokers(t, brokertest.Topic("t", 1))
			epistle(t, 0, test.stdin, append([]string{"produce", "-b" + b, "-tt"}, test.args...)...)
			if got := logged(c, "t"); !slices.Equal(got, test.want) {
				t.Errorf("log = %q, want %q", got, test.want)
			}
		})
	}
	t.Run("headers and partition", func(t *testing.T) {
		c, b := brokers(t, brokertest.Topic("t", 5))
		epistle(t, 0, compressible, "produce", "-b", b, "-t", "t", "-p", "3", "-H", "a=1=2", "-Hb", "-H", "c=", "-z", "gzip")
		records := c.Records("t", 3)
		if len(records) != 1 {
			t.Fatalf("partition 3 has %d records, want 1", len(records))
		}
		var got []string
		for _, h := range records[0].Headers {
			got = append(got, fmt.Sprintf("%s=%s %v", h.Key, h.Value, h.Value == nil))
		}
		if want := []string{"a=1=2 false", "b= true", "c= false"}; !slices.Equal(got, want) {
			t.Errorf("headers (name=value null) = %q, want %q", got, want)
		}
		if codec := c.Batches("t", 3)[0].Header.Codec.String(); codec != "gzip" {
			t.Errorf("codec = %s, want gzip", codec)
		}
	})
}

func TestALargeFileArrivesWhole(t *testing.T) {
	const lines, keys = 200_000, 1000
	c, b := brokers(t, brokertest.Brokers(3), brokertest.Topic("large", 7))
	var content strings.Builder
	for i := range lines {
		fmt.Fprintf(&content, "key-%d:%d %s\n", i%keys, i, strings.Repeat("x", i%90))
	}
	epistle(t, 0, "", "produce", "-b", b, "-t", "large", "-K", ":", file(t, content.String()))
	next := make([]int, keys) // the number that a key's next record must have
	for i := range next {
		next[i] = i
	}
	total := 0
	for p := range int32(7) {
		for _, r := range c.Records("large", p) {
			total++
			var key, n int
			fmt.Sscanf(string(r.Key), "key-%d", &key)
			fmt.Sscanf(string(r.Value), "%d", &n)
			if n != next[key] {
				t.Fatalf("key-%d has line %d after line %d, want %d", key, n, next[key]-keys, next[key])
			}
			next[key] += keys
		}
	}
	if total != lines {
		t.Errorf("the log has %d records, want %d", total, lines)
	}
	if err := c.Verify(nil); err != nil {
		t.Error(err)
	}
}

// A line that is too long is handed back as it was, however long it is, and the others are not concerned.
func TestLinesThatAreTooLong(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	barely, far := strings.Repeat("b", 1_048_550), strings.Repeat("f", 5_000_000)
	fits := strings.Repeat("o", 1_000_000)
	failed := file(t, "") // an empty file may be overwritten
	s := epistle(t, 1, "one\n"+barely+"\n"+fits+"\n"+far+"\n"+far, "produce", "-b", b, "-t", "t", "--failed-to", failed)
	if want, got := []string{"<null>=one", "<null>=" + fits}, logged(c, "t"); !slices.Equal(got, want) {
		t.Errorf("log has %d records, want the 2 that fit", len(got))
	}
	if want := barely + "\n" + far + "\n" + far + "\n"; read(t, failed) != want {
		t.Errorf("%s is not the 3 long lines: %d bytes, want %d", failed, len(read(t, failed)), len(want))
	}
	const why = "the record is larger than max.request.size, 1,048,576 bytes: raise it with -X max.request.size=…; the topic's max.message.bytes must not be below it either"
	s.wantErr("5 lines read, 2 acknowledged, 3 failed", "3 lines not delivered: "+why+" (standard input:2,4-5)")
	reasons := read(t, failed+".reasons")
	if n := explained(t, reasons, "not-written"); n != 3 || strings.Count(reasons, "[1] "+why+"\n") != 1 || strings.Contains(reasons, "[2]") {
		t.Errorf("%d lines are explained, want 3, by one reason with what to do about it:\n%s", n, reasons)
	}
}

// How an input comes in decides nothing: the same line has the same reason whether all of it is there at once or not.
func TestOneCauseHasOneReason(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("t", 1))
	line := strings.Repeat("x", 1_200_000) + "\n"
	for _, args := range [][]string{nil, {"--transactional-id", "x"}} {
		failed := t.TempDir() + "/failed.txt"
		// The first line is read in pieces, and the second is found in the memory that the first needed.
		s := start(t, io.MultiReader(strings.NewReader(line+line[:500_000]), strings.NewReader(line[500_000:]), &trickle{strings.NewReader(line[:10_000])}, strings.NewReader(line[10_000:])),
			append([]string{"produce", "-b", b, "-t", "t", "--failed-to", failed}, args...)...)
		if got := s.wait(); got != 1 {
			t.Errorf("exit status %d, want 1", got)
		}
		if reasons := read(t, failed+".reasons"); explained(t, reasons, "not-written") != 3 || strings.Contains(reasons, "[2]") {
			t.Errorf("%v: three lines that are alike have more than one reason:\n%s", args, reasons)
		}
	}
}

func TestUndeliveredLinesCanBeSentAgain(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	c.DenyWrite("t")
	input := "a:1\nb:2\n\nc:3\r\nd"
	in, failed := file(t, input), t.TempDir()+"/failed.txt"
	s := epistle(t, 1, "", "produce", "-b", b, "-t", "t", "-K", ":", "--failed-to", failed, in)
	s.wantErr("5 lines read, 0 acknowledged, 5 failed", "(0/s, 0.0 MB/s)", "5 lines not delivered", "TOPIC_AUTHORIZATION_FAILED", failed)
	if got := read(t, failed); got != input+"\n" {
		t.Errorf("%s = %q, want %q", failed, got, input+"\n")
	}
	if got := explained(t, read(t, failed+".reasons"), "not-written"); got != 5 {
		t.Errorf("%d lines have a reason, want 5", got)
	}

	// What an earlier run has left must not be overwritten by the next.
	epistle(t, 2, "", "produce", "-b", b, "-t", "t", "-K", ":", "--failed-to", failed, failed).wantErr("is not empty")

	c.AllowTopic("t")
	again := failed + ".2"
	epistle(t, 0, "", "produce", "-b", b, "-t", "t", "-K", ":", "--failed-to", again, failed)
	if want, got := []string{"a=1", "b=2", "<null>=", "c=3\r", "<null>=d"}, logged(c, "t"); !slices.Equal(got, want) {
		t.Errorf("log = %q, want %q", got, want)
	}
	for _, name := range []string{again, again + ".reasons"} {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("%s was left behind though nothing failed", name)
		}
	}
}

func TestUndeliveredLinesGoToStandardError(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	c.DenyWrite("t")
	s := epistle(t, 1, "first\nsecond\n", "produce", "-b", b, "-t", "t")
	s.wantErr("epistle: standard input:1 was not delivered: ", "\nfirst\n", "epistle: standard input:2 was not delivered: ", "\nsecond\n")

	s = epistle(t, 1, "first\nsecond\n", "produce", "-b", b, "-t", "t", "--failed-to", "-")
	if got := s.stdout.String(); got != "first\nsecond\n" {
		t.Errorf("standard output = %q, want both lines", got)
	}
}

// A line whose answer never came may be in the log, and whoever sends it again must know.
func TestALineOfUnknownOutcomeIsMarked(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	c.On(brokertest.Produce).Always().Do(brokertest.HandleThenSwallow())
	failed := t.TempDir() + "/failed.txt"
	s := epistle(t, 1, "x\n", "produce", "-b", b, "-t", "t", "--failed-to", failed,
		"-X", "linger.ms=0", "-X", "request.timeout.ms=200", "-X", "delivery.timeout.ms=300")
	s.wantErr("1 line not delivered", "1 of them may be in the log all the same")
	if got := read(t, failed+".reasons"); !strings.Contains(got, "1\tstandard input:1\tmay-be-written\t") {
		t.Errorf("the reasons do not mark the line as may-be-written:\n%s", got)
	}
}

func TestPropertiesOfAFileGiveWayToTheCommandLine(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	config := file(t, "bootstrap.servers = 127.0.0.1:1\ncompression.type=gzip\nlinger.ms=0\nclient.id=from-file\\")
	s := epistle(t, 0, compressible, "produce", "-b", b, "-t", "t", "--config", config, "-X", "compression.type=lz4", "-z", "zstd", "-X", "client.id=größer: a=b")
	if codec := c.Batches("t", 0)[0].Header.Codec.String(); codec != "zstd" {
		t.Errorf("codec = %s, want zstd: a flag wins over -X, and -X over the file", codec)
	}
	requests := c.Requests()
	if got := requests[len(requests)-1].ClientID; got != "größer: a=b" {
		t.Errorf("client.id = %q, want %q", got, "größer: a=b")
	}
	s.wantErr("note: compression.type: has no effect, since -z is given")
	if got := s.stderr.String(); strings.Count(got, "note:") > 1 {
		t.Errorf("there are notices about what was wanted:\n%s", got)
	}
	epistle(t, 0, "x\n", "produce", "-b", b, "-t", "t", "--config", file(t, "acks=all\n\nlinger.msec=3\n")).wantErr("note: line 3: linger.msec", "did you mean linger.ms?")
	epistle(t, 2, "x\n", "produce", "-b", b, "-t", "t", "--config", file(t, "acks=all\n"), "-X", "linger.msec=3").wantErr("linger.msec", "did you mean linger.ms?")
}
