package app

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
)

// A keyboard is the other end of a terminal: what is written to it is typed there, and what it reads the terminal shows.
type keyboard struct {
	t        *testing.T
	master   *os.File
	terminal *os.File
	shown    syncBuffer
}

// newTerminal makes one that controls no process.
func newTerminal(t *testing.T) *keyboard {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	k := &keyboard{t: t, master: master}
	var unlocked, number uint32
	const setLock, getNumber = 0x40045431, 0x80045430 // TIOCSPTLCK, TIOCGPTN
	control(t, master, setLock, unsafe.Pointer(&unlocked))
	control(t, master, getNumber, unsafe.Pointer(&number))
	if k.terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { // ends when the terminal is closed
		defer close(gone)
		for buf := make([]byte, 1024); ; {
			n, err := master.Read(buf)
			if err != nil {
				return
			}
			k.shown.Write(buf[:n])
		}
	}()
	t.Cleanup(func() {
		k.terminal.Close()
		<-gone
		master.Close()
	})
	return k
}

func control(t *testing.T, f *os.File, request uintptr, arg unsafe.Pointer) {
	t.Helper()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(arg)); errno != 0 {
		t.Fatalf("ioctl %#x: %v", request, errno)
	}
}

// echoes says whether the terminal shows what is typed.
func (k *keyboard) echoes() bool {
	var state syscall.Termios
	control(k.t, k.terminal, syscall.TCGETS, unsafe.Pointer(&state))
	return state.Lflag&syscall.ECHO != 0
}

// asks begins to ask at the terminal, and waits until one may type.
func (k *keyboard) asks(ctx context.Context) <-chan [2]string {
	k.t.Helper()
	open := func() *os.File {
		f, err := os.OpenFile(k.terminal.Name(), os.O_RDWR|syscall.O_NOCTTY, 0)
		if err != nil {
			k.t.Fatal(err)
		}
		return f
	}
	in, out := open(), open()
	answer := make(chan [2]string, 1)
	go func() {
		typed, err := ask(ctx, in, out, "password of alice: ")
		out.Close()
		answer <- [2]string{typed, fmt.Sprint(err)}
	}()
	eventually(k.t, "the terminal shows nothing of what is typed", func() bool { return !k.echoes() })
	return answer
}

func (k *keyboard) types(keys string) {
	k.t.Helper()
	if _, err := k.master.WriteString(keys); err != nil {
		k.t.Fatal(err)
	}
}

// The password is what was typed, up to Enter, with what was corrected. Ctrl-D with nothing typed is no empty password. Nothing of it is shown, and what comes after is shown again.
func TestAPasswordIsTyped(t *testing.T) {
	k := newTerminal(t)
	if !k.echoes() {
		t.Fatal("the terminal shows nothing from the start")
	}
	for keys, want := range map[string]string{"pencil\n": "pencil", "pencim\x7fl\n": "pencil", " p e n \n": " p e n ", "\n": "", "pässwörd\r": "pässwörd", "\x04pen\n": "pen"} {
		answer := k.asks(t.Context())
		k.types(keys)
		if got := <-answer; got != [2]string{want, "<nil>"} {
			t.Errorf("%q: got %q", keys, got)
		}
		if !k.echoes() {
			t.Errorf("%q: what is typed from now on is not shown", keys)
		}
	}
	eventually(t, "all lines have ended", func() bool { return strings.Count(k.shown.String(), "password of alice: \r\n") == 6 })
	if besides := strings.ReplaceAll(k.shown.String(), "password of alice: \r\n", ""); besides != "" {
		t.Errorf("the terminal shows %q besides", besides)
	}
}

// Ctrl-C ends the question, and what is typed from then on is shown.
func TestThePromptIsInterrupted(t *testing.T) {
	k := newTerminal(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	answer := k.asks(ctx)
	k.types("pen")
	cancel(&cli.Interrupted{Signal: syscall.SIGINT})
	if got, want := <-answer, (&cli.Interrupted{Signal: syscall.SIGINT}).Error(); got[0] != "" || got[1] != want {
		t.Errorf("got %q, want the error %q", got, want)
	}
	if !k.echoes() {
		t.Error("what is typed from now on is not shown")
	}
	k.types("\n") // ends the read that was left behind
}
