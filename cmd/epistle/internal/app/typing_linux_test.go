package app

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/term"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// resize gives the terminal a number of columns.
func (k *keyboard) resize(columns uint16) {
	k.t.Helper()
	size := struct{ rows, columns, x, y uint16 }{rows: 24, columns: columns}
	control(k.t, k.master, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
}

// says waits until the terminal shows a text.
func (k *keyboard) says(text string) {
	k.t.Helper()
	eventually(k.t, "the terminal shows "+text, func() bool { return strings.Contains(k.shown.String(), text) })
}

// Somebody is in the middle of a line when a broker goes away. The warning begins on a line of its own, and the line goes to the
// topic as it was typed, before the warning and after it.
func TestAWarningLeavesTheTypedLineAlone(t *testing.T) {
	const columns = 100
	k := newTerminal(t)
	k.resize(columns)
	t.Cleanup(func() { k.master.WriteString("\n\x04") }) // whatever has happened, nobody reads on
	c, b := brokers(t, brokertest.Topic("t", 1))
	width := func() int {
		columns, _, _ := term.GetSize(int(k.terminal.Fd()))
		return columns
	}
	interrupts, status := make(chan os.Signal, 4), make(chan int, 1)
	env := &cli.Env{Stdin: k.terminal, Stdout: k.terminal, Screen: ui.NewScreen(k.terminal, true, width), Interrupts: interrupts, Interactive: true}
	go func() { status <- Run(env, []string{"produce", "-b", b, "-t", "t"}) }()
	k.says("each line that you type is a record")
	k.types("one\n")
	eventually(t, "the first line is in the topic", func() bool { return len(c.Records("t", 0)) == 1 })

	k.types("hello ")
	k.says("one\r\nhello ")
	c.StopBroker(1)
	k.says("hello " + strings.Repeat(" ", columns) + "\repistle: warning: ")
	if err := c.StartBroker(1); err != nil {
		t.Fatal(err)
	}
	k.types("two\n")
	eventually(t, "the second line is in the topic", func() bool { return len(c.Records("t", 0)) == 2 })
	k.types("\x04") // Ctrl-D
	if got := <-status; got != 0 {
		t.Errorf("exit status %d, want 0; the terminal shows:\n%s", got, k.shown.String())
	}
	if want, got := []string{"<null>=one", "<null>=hello two"}, logged(c, "t"); !slices.Equal(got, want) {
		t.Errorf("log = %q, want %q", got, want)
	}
}
