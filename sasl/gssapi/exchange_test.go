package gssapi

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	krbgssapi "github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"

	"github.com/epistle-kafka/epistle/sasl"
)

// The client logs in with a keytab or a password, gets a ticket, and the broker knows who it is.
func TestTheBrokerKnowsWhoItIs(t *testing.T) {
	for _, with := range []string{"a password", "a keytab", "a principal with its realm", "a KDC that wants no proof"} {
		t.Run(with, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newFakeKDC(t)
				k.open = with == "a KDC that wants no proof"
				m := newMechanism(t, k, func(cfg *Config) {
					switch with {
					case "a keytab":
						own := keytab.New()
						addKey(t, own, "alice", testRealm, "secret of alice")
						cfg.Password, cfg.Keytab = "", writeKeytab(t, own)
					case "a principal with its realm":
						cfg.Principal = "alice@EXAMPLE.TEST"
					}
				})
				a := &acceptor{keys: k.keys}
				if err := a.authenticate(t.Context(), begin(t, m, broker("b1"))); err != nil {
					t.Fatal(err)
				}
				if a.client != "alice@EXAMPLE.TEST" {
					t.Errorf("the broker has heard of %s", a.client)
				}
			})
		})
	}
}

// One login serves all brokers and all connections: the KDC is asked once for each broker.
func TestOneLoginForAllBrokers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		m := newMechanism(t, k, nil)
		for _, host := range []string{"b1", "b2", "B1", "b2"} {
			begin(t, m, broker(host))
		}
		if got, want := k.log(), []string{"AS alice", "TGS kafka/b1.example.test", "TGS kafka/b2.example.test"}; !slices.Equal(got, want) {
			t.Errorf("the KDC was asked %q", got)
		}
	})
}

// What a broker sends in place of its wrap token ends the exchange, with words.
func TestBrokersThatAreNoBrokers(t *testing.T) {
	rotate := func(n int) func([]byte) []byte {
		return func(token []byte) []byte {
			body := token[16:]
			binary.BigEndian.PutUint16(token[6:], uint16(n))
			return append(token[:16:16], append(slices.Clone(body[len(body)-n:]), body[:len(body)-n]...)...)
		}
	}
	for _, c := range []struct {
		name  string
		a     acceptor
		words string // "": it is a broker
		final bool
	}{
		{name: "as Windows writes it", a: acceptor{mangle: rotate(12)}},
		{name: "with layers to choose from", a: acceptor{layers: []byte{7, 0, 16, 0}}},
		{name: "a layer is demanded", a: acceptor{layers: []byte{6, 0, 16, 0}}, words: "use SASL_SSL", final: true},
		{name: "too few layers", a: acceptor{layers: []byte{1}}, words: "1 bytes, and not 4"},
		{name: "another's signature", a: acceptor{mangle: func(b []byte) []byte { b[len(b)-1] ^= 1; return b }}, words: "who answers is not that broker"},
		{name: "other layers than signed", a: acceptor{mangle: func(b []byte) []byte { b[16] = 3; return b }}, words: "who answers is not that broker"},
		{name: "sealed", a: acceptor{mangle: func(b []byte) []byte { b[2] |= 2; return b }}, words: "sealed"},
		{name: "our own token", a: acceptor{mangle: func(b []byte) []byte { b[2] = 0; return b }}, words: "acceptor"},
		{name: "cut short", a: acceptor{mangle: func(b []byte) []byte { return b[:15] }}, words: "15 bytes"},
		{name: "cut shorter", a: acceptor{mangle: func(b []byte) []byte { return b[:20] }}, words: "inconsistent"},
		{name: "a length beyond its end", a: acceptor{mangle: func(b []byte) []byte { b[4] = 255; return b }}, words: "inconsistent"},
		{name: "an error", a: acceptor{answer: brokersError(errorcode.KRB_AP_ERR_NOKEY, 0)}, words: "the broker refuses: (45) KRB_AP_ERR_NOKEY"},
		{name: "an error of clocks", a: acceptor{answer: brokersError(errorcode.KRB_AP_ERR_SKEW, time.Hour)}, words: "1h0m0s behind the broker's"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newFakeKDC(t)
				a := c.a
				a.keys = k.keys
				err := a.authenticate(t.Context(), begin(t, newMechanism(t, k, nil), broker("b1")))
				if c.words == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), c.words) || sasl.IsFinal(err) != c.final {
					t.Errorf("got, final %v: %v", sasl.IsFinal(err), err)
				}
			})
		})
	}
}

// brokersError makes an acceptor answer with a KRB-ERROR by a clock that goes ahead.
func brokersError(code int32, ahead time.Duration) func(*acceptor) []byte {
	return func(a *acceptor) []byte {
		refusal := messages.NewKRBError(a.ticket.SName, testRealm, code, "")
		refusal.STime = refusal.STime.Add(ahead)
		message, _ := refusal.Marshal()
		token, _ := asn1.Marshal(krbgssapi.OIDKRB5.OID())
		return asn1tools.AddASNAppTag(append(append(token, 3, 0), message...), 0)
	}
}

// An acceptor that has nothing to say at first is sent an empty token, once (RFC 4752 §3.1).
func TestAnAcceptorThatSpeaksLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		a := &acceptor{keys: k.keys}
		e := begin(t, newMechanism(t, k, nil), broker("b1"))
		token, _, _ := e.Next(t.Context(), nil)
		challenge, err := a.accept(token)
		if err != nil {
			t.Fatal(err)
		}
		if response, done, err := e.Next(t.Context(), nil); len(response) != 0 || done || err != nil {
			t.Fatalf("the answer to nothing is %x, %v, %v", response, done, err)
		}
		choice, _, err := e.Next(t.Context(), challenge)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.finish(choice); err != nil {
			t.Error(err)
		}
		if _, _, err := e.Next(t.Context(), []byte("more")); err == nil {
			t.Error("a broker may go on after the end")
		}
	})
}

// A broker that refuses the ticket may have a new key: the next connection brings a new ticket.
func TestARefusedTicketIsNotUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		m := newMechanism(t, k, nil)
		e := begin(t, m, broker("b1"))
		k.log()
		words := e.(sasl.Explainer).Explain("Authentication failed")
		for _, word := range []string{"kafka/b1.example.test@EXAMPLE.TEST", "key version 1", "aes256-cts", "ends 2000-01-01T10:00:00Z", "alice@EXAMPLE.TEST", "sasl.kerberos.service.name"} {
			if !strings.Contains(words, word) {
				t.Errorf("%q is not in: %s", word, words)
			}
		}
		begin(t, m, broker("b1"))
		if got, want := k.log(), []string{"TGS kafka/b1.example.test"}; !slices.Equal(got, want) {
			t.Errorf("the KDC was asked %q", got)
		}
	})
}

// A token that is cut short anywhere, or in which a byte is another, is an error.
func TestTokensThatAreDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		m := newMechanism(t, k, nil)
		answer := func(damage func(token []byte) []byte) error {
			a := &acceptor{keys: k.keys, mangle: damage}
			return a.authenticate(t.Context(), begin(t, m, broker("b1")))
		}
		for n := 1; ; n++ {
			whole := false
			err := answer(func(token []byte) []byte {
				whole = n >= len(token)
				return token[:min(n, len(token))]
			})
			if whole {
				break
			}
			if err == nil {
				t.Errorf("%d bytes are enough", n)
			}
			err = answer(func(token []byte) []byte { token[n] ^= 0x41; return token })
			if err == nil && n != 6 { // the rotation is not signed, and 0x4100 bytes are full turns
				t.Errorf("byte %d may be another", n)
			}
		}
	})
}

// Connections that are made side by side share one login and one ticket for each broker.
func TestConnectionsSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		m := newMechanism(t, k, nil)
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				e, err := m.Begin(t.Context(), broker([]string{"b1", "b2"}[i%2]))
				if err == nil {
					err = (&acceptor{keys: k.keys}).authenticate(t.Context(), e)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := k.log(); len(got) != 3 {
			t.Errorf("the KDC was asked %q", got)
		}
	})
}
