package wire

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// An answer to ApiVersions that begins with UNSUPPORTED_VERSION is a refusal, whatever follows: the mock cluster of librdkafka
// answers so to version 3 and later, and what follows is of no version at all.
func TestARefusalWhateverFollows(t *testing.T) {
	for _, c := range []struct {
		name, body string // what follows the correlation id
		then       int16  // the version asked next
	}{
		{"the mock cluster of librdkafka", "0023" + "01" + "0012" + "0000" + "0002" + "00000000", 0},
		{"the code alone", "0023", 0},
		{"cut off", "0023" + "00000001" + "0012" + "00", 0},
		{"a count out of all reason", "0023" + "7fffffff", 0},
		{"version 0 of KIP-511", "0023" + "00000001" + "0012" + "0000" + "0003", 3},
		{"version 0 and more", "0023" + "00000001" + "0012" + "0000" + "0003" + "ff", 0},
		{"version 0 of an empty list", "0023" + "00000000", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				_, b := inMemory(t, cfg)
				body, err := hex.DecodeString(c.body)
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					h, _ := b.want()
					frame := []byte{0, 0, 0, byte(4 + len(body)), 0, 0, 0, byte(h.CorrelationID)}
					b.conn.Write(append(frame, body...))
					h, _ = b.want()
					if h.Version != c.then {
						t.Errorf("asked for version %d then, want %d", h.Version, c.then)
					}
					b.answer(h, everything())
				}()
				conn, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil)
				if err != nil {
					t.Fatal(err)
				}
				// What was refused is not asked again on this connection, whatever the broker says that it speaks.
				if v, ok := conn.Version(18); v != c.then || !ok {
					t.Errorf("Version(ApiVersions) = %d, %v, want %d", v, ok, c.then)
				}
				conn.Close(nil)
			})
		})
	}
}

// After hang-ups in a row on ApiVersions, each without a byte, older versions are asked, and the newest again after them. Over
// plaintext the error does not say so, since TLS is what the other end wants, far more often.
func TestHangUpsOnApiVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for hungUp, want := range []int16{5, 5, 3, 3, 0, 0, 5, 5} {
			cfg := testConfig()
			_, b := inMemory(t, cfg)
			go func() {
				if h, _ := b.want(); h.Version != want {
					t.Errorf("after %d hang-ups: version %d, want %d", hungUp, h.Version, want)
				}
				b.conn.Close()
			}()
			_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: 1, HungUp: hungUp}, nil)
			var failed *Error
			if !errors.As(err, &failed) || !failed.Unheard {
				t.Errorf("after %d hang-ups: %v, want that nothing was heard", hungUp, err)
			}
			if text := err.Error(); !strings.Contains(text, "may want TLS") || strings.Contains(text, "max.api.versions") {
				t.Errorf("the likeliest cause alone is to be named: %v", err)
			}
		}
	})
}

// A hang-up after the refusal of a version counts, too: nobody asks again on this connection. So the next ones begin with an
// older version.
func TestAHangUpAfterARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		_, b := inMemory(t, cfg)
		go func() {
			h, _ := b.want()
			b.conn.Write([]byte{0, 0, 0, 10, 0, 0, 0, byte(h.CorrelationID), 0, 35, 0, 0, 0, 0})
			b.want() // an older version
			b.conn.Close()
		}()
		_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: 1}, nil)
		var failed *Error
		if !errors.As(err, &failed) || !failed.Unheard {
			t.Errorf("%v, want that it counts as a hang-up without an answer", err)
		}
		if text := fmt.Sprint(err); !strings.Contains(text, "does not know our version of ApiVersions") {
			t.Errorf("the error does not say that the version was refused: %v", err)
		}
	})
}

// A hang-up in the middle of an answer is nothing of the kind.
func TestAHangUpAfterAWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		_, b := inMemory(t, cfg)
		go func() {
			b.want()
			b.conn.Write([]byte{0, 0})
			b.conn.Close()
		}()
		_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: 1}, nil)
		var failed *Error
		if !errors.As(err, &failed) || failed.Unheard {
			t.Errorf("%v, want an error of which something was heard", err)
		}
	})
}

// A cap holds, whatever the broker says, and a hang-up on a request that this connection has never answered names the request,
// its version and the setting.
func TestCapsOfVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.MaxVersions = map[int16]int16{0: 9, 18: 4}
		_, b := inMemory(t, cfg)
		var asked []int16
		go func() {
			h, _ := b.want()
			asked = append(asked, h.Version)
			b.answer(h, everything())
		}()
		ended := make(chan error, 1)
		c, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: 1}, func(_ *Conn, err error) { ended <- err })
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := c.Version(0); v != 9 || !ok {
			t.Errorf("Version(Produce) = %d, %v, want 9", v, ok)
		}
		done := make(chan *Call, 2)
		send(t, c, initID(done))
		h, _ := b.want()
		b.answer(h, &protocol.InitProducerIDResponse{})
		<-done
		send(t, c, produce(done, "x"))
		h, _ = b.want()
		asked = append(asked, h.Version)
		b.conn.Close()
		call, end := <-done, <-ended
		if !slices.Equal(asked, []int16{4, 9}) {
			t.Errorf("asked in versions %v, want 4 of ApiVersions and 9 of Produce", asked)
		}
		for _, err := range []error{call.Err, end} {
			if !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "request Produce: ") ||
				!strings.Contains(err.Error(), "version 9 of Produce: a lower one is set by max.api.versions=Produce=8") {
				t.Errorf("the error does not name request, version and setting: %v", err)
			}
		}
	})
}

// A hang-up on a request that has been answered before is only that.
func TestAHangUpOnWhatWasAnsweredBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, ended := connect(t, testConfig())
		done := make(chan *Call, 2)
		send(t, c, initID(done))
		h, _ := b.want()
		b.answer(h, &protocol.InitProducerIDResponse{})
		<-done
		send(t, c, initID(done))
		b.want()
		b.conn.Close()
		if err := (<-done).Err; strings.Contains(err.Error(), "max.api.versions") {
			t.Errorf("the version is no reason: %v", err)
		}
		<-ended
	})
}

// A broker that has answered before wants no SASL: who is sent looking for that is misled. That it is not reachable would be
// wrong, too, since it has just answered ApiVersions.
func TestAHangUpByAnOldAcquaintance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, ended := connect(t, testConfig())
		c.peer.Answered, c.peer.Served = time.Now(), true
		done := make(chan *Call, 1)
		send(t, c, initID(done))
		b.want()
		b.conn.Close()
		for _, err := range []error{(<-done).Err, (<-ended).err} {
			if text := err.Error(); strings.Contains(text, "SASL") || strings.Contains(text, "not reachable") || !strings.Contains(text, "(the broker may have stopped; if it hangs up each time, something on the way may not know version") {
				t.Errorf("got %v, want what is possible and nothing else, the likeliest first", err)
			}
		}
	})
}

// Bytes left over behind an answer are no reason to refuse it, but where it acknowledges records.
func TestBytesLeftOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, _ := connect(t, testConfig())
		done := make(chan *Call, 1)
		answer := func(resp protocol.Response) {
			h, _ := b.want()
			frame := append(protocol.AppendResponse(nil, h.Version, h.CorrelationID, resp), 0)
			frame[3]++ // of its length
			b.conn.Write(frame)
		}
		send(t, c, initID(done))
		answer(&protocol.InitProducerIDResponse{ProducerID: 7})
		if call := <-done; call.Err != nil || call.Response.(*protocol.InitProducerIDResponse).ProducerID != 7 {
			t.Errorf("InitProducerId: %+v, %v", call.Response, call.Err)
		}
		send(t, c, produce(done, "x"))
		answer(&protocol.ProduceResponse{})
		if call := <-done; call.Err == nil {
			t.Error("an acknowledgement that was not read as a whole is taken for one")
		}
	})
}
