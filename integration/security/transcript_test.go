package security

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// A step of a conversation is a request: a handshake, a token, or metadata.
type step struct {
	mechanism string // of a handshake
	token     string // of SaslAuthenticate; "" for none
	metadata  bool
}

func handshake(mechanism string) step { return step{mechanism: mechanism} }
func present(token string) step       { return step{token: token} }

// The brokers of package brokertest answer each conversation word by word as Kafka does.
func TestBrokertestAnswersAsKafka(t *testing.T) {
	t.Parallel()
	s := broker(t)
	ours := brokertest.New(t, brokertest.SASL(brokertest.Plain("alice", password), brokertest.SCRAM256("alice", password), brokertest.SCRAM512("alice", password)))
	without := brokertest.New(t)
	metadata := step{metadata: true}
	for _, c := range []struct {
		name  string
		plain bool // on a listener without SASL
		steps []step
	}{
		{"PLAIN", false, []step{handshake("PLAIN"), present("\x00alice\x00" + password), metadata}},
		{"PLAIN with an authorization id", false, []step{handshake("PLAIN"), present("alice\x00alice\x00" + password), metadata}},
		{"PLAIN with another authorization id", false, []step{handshake("PLAIN"), present("bob\x00alice\x00" + password)}},
		{"PLAIN with a wrong password", false, []step{handshake("PLAIN"), present("\x00alice\x00guess")}},
		{"PLAIN with an unknown user", false, []step{handshake("PLAIN"), present("\x00bob\x00" + password)}},
		{"PLAIN without a password", false, []step{handshake("PLAIN"), present("\x00alice\x00")}},
		{"PLAIN without a user", false, []step{handshake("PLAIN"), present("\x00\x00" + password)}},
		{"PLAIN with two parts", false, []step{handshake("PLAIN"), present("\x00alice")}},
		{"SCRAM-SHA-256 with an unknown user", false, []step{handshake("SCRAM-SHA-256"), present("n,,n=bob,r=nonce")}},
		{"SCRAM-SHA-512 with channel binding", false, []step{handshake("SCRAM-SHA-512"), present("y,,n=alice,r=nonce")}},
		{"SCRAM-SHA-512 with no message", false, []step{handshake("SCRAM-SHA-512"), present("hello")}},
		{"a mechanism that is not enabled", false, []step{handshake("GSSAPI")}},
		{"no mechanism", false, []step{handshake("")}},
		{"metadata before all else", false, []step{metadata}},
		{"metadata in place of a token", false, []step{handshake("PLAIN"), metadata}},
		{"a token before the handshake", false, []step{present("\x00alice\x00" + password)}},
		{"two handshakes", false, []step{handshake("PLAIN"), handshake("SCRAM-SHA-512"), present("\x00alice\x00" + password)}},
		{"a handshake after all was done", false, []step{handshake("PLAIN"), present("\x00alice\x00" + password), handshake("PLAIN"), metadata}},
		{"a token after all was done", false, []step{handshake("PLAIN"), present("\x00alice\x00" + password), present("\x00alice\x00" + password), metadata}},
		{"a handshake where there is no SASL", true, []step{handshake("PLAIN"), metadata}},
		{"a token where there is no SASL", true, []step{present("x"), metadata}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			real, fake := s.Listener(0, onSASL), ours.Bootstrap()[0]
			if c.plain {
				real, fake = s.Bootstrap(), without.Bootstrap()[0]
			}
			want, got := converse(t, real, c.steps), converse(t, fake, c.steps)
			if want != got {
				t.Errorf("Kafka:\n%s\nbrokertest:\n%s", want, got)
			} else {
				t.Logf("both:\n%s", want)
			}
		})
	}
}

// converse takes the steps until the broker hangs up, and notes the answers.
func converse(t *testing.T, address string, steps []step) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	do(t, err)
	defer conn.Close()
	do(t, conn.SetDeadline(time.Now().Add(patience)))
	var notes strings.Builder
	for i, st := range steps {
		note, err := take(conn, int32(i+1), st)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%s: %v\n%s", address, err, &notes)
		}
		if err != nil {
			return notes.String() + "hung up"
		}
		notes.WriteString(note + "\n")
	}
	return notes.String()
}

// take sends a request, and says what was answered.
func take(conn net.Conn, id int32, st step) (string, error) {
	header := protocol.RequestHeader{CorrelationID: id}
	ask := func(version int16, m protocol.Request, answer protocol.Response) error {
		header.Version = version
		if _, err := conn.Write(protocol.AppendRequest(nil, header, m)); err != nil {
			return err
		}
		var size [4]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return err
		}
		frame := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(conn, frame); err != nil {
			return err
		}
		_, err := protocol.DecodeResponse(frame, version, answer)
		return err
	}
	switch {
	case st.metadata:
		answer := &protocol.MetadataResponse{}
		err := ask(12, &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{}}, answer)
		return fmt.Sprintf("Metadata: %d broker", len(answer.Brokers)), err
	case st.token != "":
		answer := &protocol.SaslAuthenticateResponse{}
		err := ask(2, &protocol.SaslAuthenticateRequest{AuthBytes: []byte(st.token)}, answer)
		words := "null"
		if answer.ErrorMessage != nil {
			words = fmt.Sprintf("%q", *answer.ErrorMessage)
		}
		return fmt.Sprintf("SaslAuthenticate: %d %s %q, lifetime %v", answer.ErrorCode, words, answer.AuthBytes, answer.SessionLifetime), err
	default:
		answer := &protocol.SaslHandshakeResponse{}
		err := ask(1, &protocol.SaslHandshakeRequest{Mechanism: st.mechanism}, answer)
		slices.Sort(answer.Mechanisms) // a set, in any order
		return fmt.Sprintf("SaslHandshake: %d %q", answer.ErrorCode, answer.Mechanisms), err
	}
}
