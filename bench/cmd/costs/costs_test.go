//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// fake acknowledges at once, but for what goes to a topic that it refuses.
type fake struct{ refuses string }

var errRefused = errors.New("refused")

func (f *fake) send(topic string, _ []byte, done func(error)) {
	if topic == f.refuses {
		done(errRefused)
		return
	}
	done(nil)
}
func (f *fake) flush() error { return nil }
func (f *fake) close() error { return nil }

// TestCasesFailWithTheirRecords guards that no figure is of records that were not delivered.
func TestCasesFailWithTheirRecords(t *testing.T) {
	for _, c := range costs {
		if c.name == "hang" {
			continue // needs a sink to stop
		}
		for _, refused := range []string{"", "load", "topic-7"} {
			figures, err := c.run(func() (client, error) { return &fake{refused}, nil }, time.Millisecond)
			fails := refused == "load" || refused == "topic-7" && strings.HasPrefix(c.name, "topics")
			if fails != errors.Is(err, errRefused) || (err == nil) != (len(figures) > 0) {
				t.Errorf("%s with records to %q refused has %v and error %v", c.name, refused, figures, err)
			}
		}
	}
}

// TestWhatAChildSays guards that figures are read, and that nothing else is taken for them.
func TestWhatAChildSays(t *testing.T) {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	c := &cost{}
	figures, err := c.listen(self, &told, strings.NewReader(`[{"Name":"ms","Value":3}]`+"\n"))
	if err != nil || len(figures) != 1 || figures[0] != (figure{"ms", 3}) || told.Len() > 0 {
		t.Errorf("figures are %v, error %v, and the child heard %q", figures, err, told.String())
	}
	if _, err := c.listen(self, &told, strings.NewReader("panic: no\n")); err == nil {
		t.Error("what is no figure is taken for one")
	}
}

func TestSpreadsAreShort(t *testing.T) {
	for want, figures := range map[string][]float64{"–": nil, "3": {3}, "0.13 (0.12…1.5)": {1.5, 0.125, 0.1321}, "6850 (147…26400)": {26_400, 147, 6_850.4}} {
		if got := spread(figures); got != want {
			t.Errorf("the spread is %s, want %s", got, want)
		}
	}
}
