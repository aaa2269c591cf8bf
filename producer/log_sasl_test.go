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
