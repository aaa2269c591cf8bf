package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/protocol"
)

func TestDemoOnItsOwnBrokers(t *testing.T) {
	out := epistle(t, 0, "", "demo").stdout.String()
	for _, want := range []string{"three brokers run in this process", "4,000 events", "Every one was acknowledged",
		"ok      count: 4,000 records", "ok      content and order", "ok      partitions", "ok      CRC", "ok      sequences", "What to try next", "epistle produce"} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not say %q:\n%s", want, out)
		}
	}
}

func TestDemoOnACluster(t *testing.T) {
	c, b := brokers(t, brokertest.Brokers(3), brokertest.AutoCreate(false))
	sent := filepath.Join(t.TempDir(), "sent.txt")
	out := epistle(t, 0, "", "demo", "-b", b, "-t", "shop", "--partitions", "4", "--file-out", sent).stdout.String()
	for _, want := range []string{"Created topic shop with 4 partitions", "ok      count: the logs have grown by 4,000 records", "ok      offsets", "ok      order", "What to try next", b} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not say %q:\n%s", want, out)
		}
	}
	if n := count(c, "shop"); n != 4000 {
		t.Errorf("the topic has %d records, want 4000", n)
	}

	// What was written to the file is what was sent.
	in := make(map[string]int)
	for line := range strings.Lines(read(t, sent)) {
		in[strings.TrimSuffix(line, "\n")]++
	}
	for p := range int32(4) {
		for _, r := range c.Records("shop", p) {
			in[string(r.Key)+":"+string(r.Value)]--
		}
	}
	for line, n := range in {
		if n != 0 {
			t.Errorf("the file has %d more of this line than the topic: %s", n, line)
		}
	}

	if out := epistle(t, 0, "", "demo", "-b", b, "-t", "shop").stdout.String(); !strings.Contains(out, "Topic shop exists") || count(c, "shop") != 8000 {
		t.Errorf("the second demo does not add to the topic: %d records\n%s", count(c, "shop"), out)
	}
}

// A topic that somebody has made a moment ago is not known to every broker yet, or has no leaders yet. The demo waits, and does
// not say that it has created what was there.
func TestDemoOnATopicThatWasJustMade(t *testing.T) {
	for name, answer := range map[string]protocol.ErrorCode{"not known": protocol.UnknownTopicOrPartition, "no leaders": protocol.LeaderNotAvailable} {
		t.Run(name, func(t *testing.T) {
			c, b := brokers(t, brokertest.AutoCreate(false), brokertest.Topic("shop", 2))
			c.On(brokertest.Metadata).Topic("shop").Times(2).Do(brokertest.Error(answer))
			out := epistle(t, 0, "", "demo", "-b", b, "-t", "shop").stdout.String()
			if !strings.Contains(out, "Topic shop exists") || strings.Contains(out, "Created") || count(c, "shop") != 4000 {
				t.Errorf("%d records; the demo says:\n%s", count(c, "shop"), out)
			}
		})
	}
	t.Run("denied", func(t *testing.T) {
		c, b := brokers(t, brokertest.Topic("shop", 2))
		c.DenyTopic("shop")
		epistle(t, 1, "", "demo", "-b", b, "-t", "shop").wantErr("TOPIC_AUTHORIZATION_FAILED")
	})
}

// With acks=0 nobody says when a record is in the log, and the demo waits until the logs say so.
func TestDemoWithoutAcknowledgements(t *testing.T) {
	for range 3 {
		out := epistle(t, 0, "", "demo", "-X", "acks=0").stdout.String()
		if !strings.Contains(out, "Every one was written after") || !strings.Contains(out, "ok      count: 4,000 records") || strings.Contains(out, "acknowledged") {
			t.Errorf("the demo says:\n%s", out)
		}
	}
	c, b := brokers(t, brokertest.Topic("shop", 4))
	out := epistle(t, 0, "", "demo", "-b", b, "-t", "shop", "-X", "acks=0").stdout.String()
	if !strings.Contains(out, "by as many as were written") {
		t.Errorf("the demo says:\n%s", out)
	}
	if n := count(c, "shop"); n != 4000 {
		t.Errorf("the topic has %d records, want 4000", n)
	}

	// What is lost is told all the same.
	c, b = brokers(t, brokertest.Topic("shop", 1))
	c.On(brokertest.Produce).Do(brokertest.Swallow())
	s := epistle(t, 1, "", "demo", "-b", b, "-t", "shop", "-X", "acks=0")
	if out := s.stdout.String(); !strings.Contains(out, "WRONG   count: ") {
		t.Errorf("the demo does not notice that records are lost:\n%s", out)
	}
}

// The demo must notice what a broker does wrong.
func TestDemoNotices(t *testing.T) {
	t.Run("a lost tail", func(t *testing.T) {
		c, b := brokers(t, brokertest.Topic("shop", 2))
		c.Control(func(r *brokertest.Request) *brokertest.Action {
			if r.APIKey == brokertest.ListOffsets && count(c, "shop") == 4000 {
				c.LoseTail("shop", 0, c.EndOffset("shop", 0)-3)
			}
			return nil
		})
		s := epistle(t, 1, "", "demo", "-b", b, "-t", "shop")
		if out := s.stdout.String(); !strings.Contains(out, "WRONG   count: partition 0 has grown by") || !strings.Contains(out, "WRONG   offsets") {
			t.Errorf("the demo does not notice that records are gone:\n%s", out)
		}
		s.wantErr("checks failed")
	})
	t.Run("a refusal", func(t *testing.T) {
		c, b := brokers(t, brokertest.Topic("shop", 2))
		c.DenyWrite("shop")
		epistle(t, 1, "", "demo", "-b", b, "-t", "shop").wantErr("events not delivered", "TOPIC_AUTHORIZATION_FAILED")
	})
	t.Run("a file that cannot be written", func(t *testing.T) {
		epistle(t, 2, "", "demo", "--file-out", os.TempDir()).wantErr("--file-out")
		name := file(t, "precious\n")
		epistle(t, 2, "", "demo", "--file-out", name).wantErr("--file-out", "not written over")
		if got := read(t, name); got != "precious\n" {
			t.Errorf("the file holds %q", got)
		}
	})
}
