package producer_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
)

// Stories of authentication.

func init() {
	logStories["sessions end, and are renewed"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3),
			brokertest.SASL(brokertest.Plain("alice", "secret")), brokertest.SessionLifetime(30*time.Second))
		l := loginAs("alice", "secret")
		p := start(t, c, as(l), j.logs, patiently)
		underLoad(t, p, 5*time.Minute)
		j.one(t, slog.LevelWarn, "credentials go over the network as they are")
		if n := len(j.of("re-authenticated")); n < 5 || n > 30 {
			t.Errorf("the log has %d re-authentications, want them counted", n)
		}
		j.none(t, "re-authentication failed")
		j.none(t, "connection lost")
		if n := p.Stats().Reauthentications; n < 10 {
			t.Errorf("%d re-authentications, want one each 27 s or so", n)
		}
		l.fail(errors.New("the token endpoint is down"))
		underLoad(t, p, 28*time.Second)
		l.fail(nil)
		underLoad(t, p, 10*time.Second)
		if failed := j.of("re-authentication failed"); len(failed) == 0 || !strings.Contains(failed[0].word("err"), "token endpoint") {
			t.Errorf("the log does not say why: %v", failed)
		}
		if strings.Contains(j.String(), "secret") {
			t.Error("the log has the password")
		}
	}
}

func init() {
	logStories["a client is refused"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3), brokertest.SASL(brokertest.Plain("alice", "secret")))
		p := start(t, c, as(loginAs("alice", "secret")), j.logs, patiently)
		underLoad(t, p, time.Second)
		c.RemoveUser("PLAIN", "alice")
		c.CutConnections(1, false)
		underLoad(t, p, 10*time.Minute)
		told := j.of("cannot log in")
		if len(told) < 2 || len(told) > 10 || told[0].level != slog.LevelError || !strings.Contains(told[0].word("err"), "Invalid username or password") {
			t.Errorf("the log has %d lines of the refusals, want the first at once and some with their number: %v", len(told), told)
		}
		if last := told[len(told)-1]; last.num("attempts") < 5 {
			t.Errorf("the last does not count: %v", last)
		}
		j.none(t, "cannot connect")
		c.SetPassword("PLAIN", "alice", "secret")
		underLoad(t, p, time.Minute)
		if back := j.of("connected"); len(back) < 2 || back[len(back)-1].num("attempts") < 5 {
			t.Errorf("the end does not tell of what it ends: %v", back)
		}
	}
}
