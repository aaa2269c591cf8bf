package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

func TestNearest(t *testing.T) {
	words := []string{"produce", "perf", "demo", "topic", "bootstrap", "key-delimiter"}
	for word, want := range map[string]string{
		"prodcue": "produce", "demmo": "demo", "topik": "topic", "BOOTSTRAP": "bootstrap", "boot": "bootstrap",
		"key-delimeter": "key-delimiter", "xyzzy": "", "q": "",
	} {
		if got := Nearest(word, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestStatus(t *testing.T) {
	interrupted := &Interrupted{syscall.SIGINT}
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0}, {errors.New("x"), 1}, {Usagef("x"), 2}, {fmt.Errorf("so: %w", Usagef("x")), 2},
		{interrupted, 130}, {&Reported{interrupted}, 130}, {&Interrupted{syscall.SIGTERM}, 143}, {&Reported{errors.New("x")}, 1},
	} {
		if got := Status(test.err); got != test.want {
			t.Errorf("Status(%v) = %d, want %d", test.err, got, test.want)
		}
	}
}

func TestDebounceTakesAPairForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal)
		out := Debounce(signals)
		for range 2 {
			signals <- syscall.SIGINT
			signals <- syscall.SIGINT
			time.Sleep(time.Second)
		}
		close(signals)
		synctest.Wait()
		if got := len(out); got != 2 {
			t.Errorf("%d signals, want 2: two pairs, a second apart", got)
		}
	})
}

// Two signals ask a command to end, the third does not ask.
func TestTheThirdSignalEndsTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 3)
		ended := make(chan os.Signal, 3)
		out := LastWord(signals, func(sig os.Signal) { ended <- sig })
		signals <- syscall.SIGINT
		signals <- syscall.SIGINT
		synctest.Wait()
		if len(out) != 2 || len(ended) != 0 {
			t.Errorf("after two signals %d came through and %d ended it, want 2 and 0", len(out), len(ended))
		}
		signals <- syscall.SIGTERM // also when nobody has taken the others
		synctest.Wait()
		if len(ended) != 1 || len(out) != 2 {
			t.Errorf("the third signal does not end the process")
		}
	})
}

// Whatever the command line says reaches the producer as it was typed, whatever the file's last line looks like.
func TestSettingsSurviveTheirWayThroughAFile(t *testing.T) {
	dir := t.TempDir()
	for i, clientID := range []string{"plain", "a=b:c#d!e", `back\slash\`, "tab\there", "größer 日本 🎻", "x y"} {
		for j, last := range []string{"", "\n", "\nlinger.ms=7", "\nclient.id = continued \\", "\nclient.id=x\\\n", "\n# comment \\"} {
			name := fmt.Sprintf("%s/%d-%d.properties", dir, i, j)
			if err := os.WriteFile(name, []byte("bootstrap.servers=h:1"+last), 0o600); err != nil {
				t.Fatal(err)
			}
			var stderr bytes.Buffer
			s := Settings{file: name}
			s.Set("--client-id", "client.id", clientID)
			cfg, err := s.Config(t.Context(), &Env{Screen: ui.NewScreen(&stderr, false, nil)})
			if err != nil || cfg.ClientID != clientID {
				t.Errorf("after %q: client.id = %q, %v, want %q", last, cfg.ClientID, err, clientID)
			}
		}
	}
}

func TestNoticesNameTheLinesOfTheFileAlone(t *testing.T) {
	name := t.TempDir() + "/p.properties"
	if err := os.WriteFile(name, []byte("bootstrap.servers=h:1\n\nacks=1\nlinger.ms=3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	s := Settings{file: name, pairs: []string{"linger.ms=4"}}
	cfg, err := s.Config(t.Context(), &Env{Screen: ui.NewScreen(&stderr, false, nil)})
	if err != nil || cfg.Linger != 4*time.Millisecond || cfg.Acks != producer.AcksLeader {
		t.Fatalf("linger, acks = %v, %v, %v, want 4ms and 1", cfg.Linger, cfg.Acks, err)
	}
	if got := stderr.String(); !bytes.Contains([]byte(got), []byte("note: line 3: acks: ")) || bytes.Contains([]byte(got), []byte("overridden")) {
		t.Errorf("notices = %q, want that of line 3 alone", got)
	}
}

// A message is one message, whatever is in it: nothing commands the terminal, and no line passes for another message.
func TestSayIsHarmless(t *testing.T) {
	var stderr bytes.Buffer
	env := &Env{Screen: ui.NewScreen(&stderr, false, nil)}
	env.Say("%s", "\x1b[2Jfirst\nepistle: second\n  third\r\n")
	if got, want := stderr.String(), "epistle: \\x1b[2Jfirst\n  epistle: second\n  third\\r\n"; got != want {
		t.Errorf("Say wrote %q, want %q", got, want)
	}
}

func TestUsageErrorsShowWordsAsWords(t *testing.T) {
	long := strings.Repeat("x", 30_000)
	got := Usagef("%s and %q: %v; %s; %d", "a\nb", "c\r\"d", errors.New("e\x1bf"), Phrase("g\nh"), 7).Error()
	if want := `a\nb and "c\r\"d": e\x1bf; g` + "\nh; 7"; got != want {
		t.Errorf("Usagef makes %q, want %q", got, want)
	}
	if got := Usagef("%s %q %v", long, long, errors.New(long)).Error(); len(got) > 3000 {
		t.Errorf("Usagef makes %d bytes of 30 kB, want a part", len(got))
	}
}
