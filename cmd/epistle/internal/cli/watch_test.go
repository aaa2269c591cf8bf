package cli

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

func testEnv() (*Env, *bytes.Buffer) {
	var b bytes.Buffer
	return &Env{Screen: ui.NewScreen(&b, false, nil)}, &b
}

// While records are under way and none ends, that is said within seconds, once, and its end too.
func TestWatchTellsOfAStandstillOnce(t *testing.T) {
	env, out := testEnv()
	w := NewWatch(env, &producer.Config{Acks: producer.AcksAll, Linger: time.Second, DeliveryTimeout: time.Minute})
	now := time.Unix(1000, 0)
	look := func(s producer.Stats) string {
		now = now.Add(time.Second)
		return w.Look(now, s)
	}
	for range 10 {
		look(producer.Stats{}) // nothing to do
	}
	for i := range int64(10) {
		look(producer.Stats{InFlight: 5, Acknowledged: i})
	}
	if out.Len() != 0 {
		t.Fatalf("it says %q while all is well", out)
	}
	var status string
	for range 10 {
		status = look(producer.Stats{InFlight: 5, Acknowledged: 9, Retried: 3})
	}
	if want := ", NOTHING acknowledged for 10s"; status != want {
		t.Errorf("status = %q, want %q", status, want)
	}
	look(producer.Stats{InFlight: 5, Acknowledged: 10})
	look(producer.Stats{InFlight: 5, Acknowledged: 11})
	want := "epistle: no record was acknowledged for 3s; trying on, each record for delivery.timeout.ms (1m0s); 3 records sent again so far\n" +
		"epistle: it goes on: after 11s records are acknowledged again\n"
	if out.String() != want {
		t.Errorf("it says\n%s, want\n%s", out, want)
	}
}

// A broker that does not come back: records fail, more of them come, and nobody is told that it goes on. Only a record that is
// acknowledged ends the standstill, also where all have failed meanwhile.
func TestWatchTakesNoFailureForProgress(t *testing.T) {
	env, out := testEnv()
	w := NewWatch(env, &producer.Config{Acks: producer.AcksAll, DeliveryTimeout: 6 * time.Second})
	now := time.Unix(1000, 0)
	look := func(s producer.Stats) string {
		now = now.Add(time.Second)
		return w.Look(now, s)
	}
	look(producer.Stats{InFlight: 5, Acknowledged: 9})
	for range 5 {
		look(producer.Stats{InFlight: 50, Acknowledged: 9})
	}
	var status string
	for i := range int64(5) {
		status = look(producer.Stats{InFlight: 50, Acknowledged: 9, Failed: 10 * (i + 1)})
	}
	if want := ", NOTHING acknowledged for 10s"; status != want {
		t.Errorf("status = %q while records fail, want %q", status, want)
	}
	if status := look(producer.Stats{Acknowledged: 9, Failed: 100}); status != "" {
		t.Errorf("status = %q with nothing under way, want none", status)
	}
	look(producer.Stats{InFlight: 5, Acknowledged: 9, Failed: 100})
	look(producer.Stats{InFlight: 5, Acknowledged: 10, Failed: 100})
	want := "epistle: no record was acknowledged for 2s; trying on, each record for delivery.timeout.ms (6s)\n" +
		"epistle: records have begun to fail, and none was acknowledged for 6s\n" +
		"epistle: it goes on: after 13s records are acknowledged again\n"
	if out.String() != want {
		t.Errorf("it says\n%s, want\n%s", out, want)
	}
}

// Records that fail at once do not stand still. When one of them does, the time counts since the last that was acknowledged.
func TestWatchTellsOfNoStandstillWhileRecordsFail(t *testing.T) {
	env, out := testEnv()
	w := NewWatch(env, &producer.Config{Acks: producer.AcksAll, DeliveryTimeout: time.Minute})
	now := time.Unix(1000, 0)
	for i := range int64(10) {
		now = now.Add(time.Second)
		w.Look(now, producer.Stats{InFlight: 5, Failed: i})
	}
	if out.Len() != 0 {
		t.Fatalf("it says %q while records come to their end", out)
	}
	for range 2 {
		now = now.Add(time.Second)
		w.Look(now, producer.Stats{InFlight: 5, Failed: 9})
	}
	if want := "epistle: no record was acknowledged for 11s; trying on"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("it says %q, want %q", out, want)
	}
}

// Warnings are shown, debug lines are not; the same words are not repeated, and a flood has a bound.
func TestLoggerShowsWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env, out := testEnv()
		log := newLogger(env).With("client", "c-1").WithGroup("conn")
		log.Debug("connected")
		log.Info("connected")
		for range 5 {
			log.Warn("broker 2 is not reachable", "err", errors.New("connection \x1b[2Jrefused\nepistle: forged"), slog.Group("at", "port", 9092))
		}
		want := `epistle: warning: broker 2 is not reachable: connection \x1b[2Jrefused\nepistle: forged (client: c-1, conn.at.port: 9092)` + "\n"
		if out.String() != want {
			t.Errorf("it says\n%s, want\n%s", out, want)
		}
		time.Sleep(warnAgain)
		log.Warn("broker 2 is not reachable", "err", errors.New("connection \x1b[2Jrefused\nepistle: forged"), slog.Group("at", "port", 9092))
		if got := strings.Count(out.String(), "\n"); got != 2 {
			t.Errorf("%d lines, want the warning again after %v", got, warnAgain)
		}
		log.Warn("slow", "since", time.Date(2026, 1, 2, 3, 4, 5, 678, time.Local), "took", 1500*time.Millisecond)
		if want := "epistle: warning: slow (client: c-1, conn.since: 03:04:05, conn.took: 1.5s)\n"; !strings.HasSuffix(out.String(), want) {
			t.Errorf("it says\n%s, want\n%s", out, want)
		}
		for i := range 1000 {
			log.Error(fmt.Sprintf("trouble %d", i))
		}
		if got := strings.Count(out.String(), "\n"); got > 3+warnMost+1 {
			t.Errorf("%d lines, want at most %d of a flood", got-3, warnMost+1)
		}
	})
}

// Where max.block.ms is 0, what a user is told to wait for is the time that the command waits.
func TestThePatienceThatIsAnnounced(t *testing.T) {
	for most, want := range map[time.Duration]string{
		0:               "1m0s in all, as max.block.ms is 0",
		5 * time.Second: "max.block.ms is 5s",
	} {
		if got := patienceOf(&producer.Config{MaxBlock: most}); got != want {
			t.Errorf("%v: %q, want %q", most, got, want)
		}
	}
}
