package sender

import (
	"strings"
	"testing"
)

// Metadata hears that a topic is in use often enough not to forget it, though not with each batch.
func TestATopicInUseIsNotForgotten(t *testing.T) {
	b := newBench([]string{"linger=0s"}) // metadata.max.idle is an hour
	for _, cmd := range []string{
		"topic t a 1/0", "want t", "append t-0 a", "ok 1.1",
		"+40m", "append t-0 b", "ok 1.2", "+40m", "refresh",
	} {
		b.run(strings.Fields(cmd))
	}
	if b.c.meta.Topic("t") == nil {
		t.Error("the topic is forgotten, 40 minutes after it was last produced to")
	}
	b.run([]string{"+61m"}).run([]string{"refresh"})
	if b.c.meta.Topic("t") != nil {
		t.Error("the topic is remembered after an idle hour: the test shows nothing")
	}
	b.run(strings.Fields("want t")).run(strings.Fields("append t-0 c")).run([]string{"ok", "1.3"}).run([]string{"refresh"})
	if b.c.meta.Topic("t") == nil {
		t.Error("the topic is still forgotten, though it is produced to again")
	}
}
