package gssapi

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/keytab"
)

// A KDC that is down is named, and nothing is final: when it is back, the next connection succeeds.
func TestAKDCThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		m := newMechanism(t, k, nil)
		k.down = true
		target, told := broker("b1"), []string(nil)
		target.Trouble = func(err error) {
			if err != nil {
				told = append(told, err.Error())
			}
		}
		err := refuse(t, m, target, false, "log in as alice@EXAMPLE.TEST", "no KDC of realm EXAMPLE.TEST answers",
			"kdc1.example.test:88 over tcp", "kdc1.example.test:88 over udp", "connection refused", "does a firewall let port 88 through?")
		if len(told) == 0 || !strings.Contains(told[0], "no KDC of realm EXAMPLE.TEST answers: kdc1.example.test:88 over tcp") || strings.Contains(told[0], "udp") {
			t.Errorf("told %q meanwhile, want the first failure", told)
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error("the cause cannot be found")
		}
		k.down = false
		begin(t, m, broker("b1"))
	})
}

// A KDC that takes connections and says nothing costs five seconds, and no more than the connection has.
func TestAKDCThatIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		k.silent = true
		m := newMechanism(t, k, nil)
		start := time.Now()
		refuse(t, m, broker("b1"), false, "kdc1.example.test:88 over tcp: no answer")
		if took := time.Since(start); took != kdcPatience {
			t.Errorf("it took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		go m.Begin(t.Context(), broker("b2"))
		synctest.Wait()
		if _, err := m.Begin(ctx, broker("b1")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("beside another connection: %v", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("beside another connection it took %v", took)
		}
		synctest.Wait()
		time.Sleep(kdcPatience)
	})
}

// What a KDC refuses is told with what to do about it.
func TestWhatAKDCRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		what   string // that is refused
		code   int32
		change func(*Config)
		final  bool
		words  []string
	}{
		{name: "a wrong password", change: func(cfg *Config) { cfg.Password = "a guess" }, final: true,
			words: []string{"log in as alice@EXAMPLE.TEST", "(24) KDC_ERR_PREAUTH_FAILED", "the password of alice@EXAMPLE.TEST is wrong"}},
		{name: "an unknown principal", change: func(cfg *Config) { cfg.Principal = "alicia" }, final: true,
			words: []string{"(6) KDC_ERR_C_PRINCIPAL_UNKNOWN", "there is no principal alicia@EXAMPLE.TEST"}},
		{name: "an unknown service", change: func(cfg *Config) { cfg.ServiceName = "kafkax" }, final: true,
			words: []string{"ticket for kafkax/b1.example.test@EXAMPLE.TEST", "(7) KDC_ERR_S_PRINCIPAL_UNKNOWN", "sasl.kerberos.service.name", "Canonicalize"}},
		{name: "a locked account", what: "AS alice", code: errorcode.KDC_ERR_CLIENT_REVOKED, final: true, words: []string{"locked or disabled"}},
		{name: "an old password", what: "AS alice", code: errorcode.KDC_ERR_KEY_EXPIRED, final: true, words: []string{"has expired"}},
		{name: "another realm's", what: "AS alice", code: errorcode.KDC_ERR_WRONG_REALM, final: true, words: []string{"another realm"}},
		{name: "encryption types", what: "TGS kafka/b1.example.test", code: errorcode.KDC_ERR_ETYPE_NOSUPP, final: true, words: []string{"default_tgs_enctypes"}},
		{name: "not yet valid", what: "AS alice", code: errorcode.KDC_ERR_CLIENT_NOTYET},
		{name: "a replay", what: "TGS kafka/b1.example.test", code: errorcode.KRB_AP_ERR_REPEAT},
		{name: "busy", what: "AS alice", code: errorcode.KDC_ERR_SVC_UNAVAILABLE, words: []string{"no KDC of realm EXAMPLE.TEST answers"}},
		{name: "something", what: "AS alice", code: errorcode.KRB_ERR_GENERIC, words: []string{"(60) KRB_ERR_GENERIC"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newFakeKDC(t)
				k.answer[c.what] = c.code
				refuse(t, newMechanism(t, k, c.change), broker("b1"), c.final, c.words...)
			})
		})
	}
}

// A KDC that asks for no proof tells a wrong password by an answer that cannot be opened.
func TestAWrongPasswordWithoutProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		k.open = true
		m := newMechanism(t, k, func(cfg *Config) { cfg.Password = "a guess" })
		refuse(t, m, broker("b1"), true, "cannot be decrypted", "the password of alice@EXAMPLE.TEST is wrong")
	})
}

// A refused login is not repeated before a minute has passed: some tries more would lock the account. A new keytab is tried.
func TestARefusedLoginIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		old := keytab.New()
		addKey(t, old, "alice", testRealm, "the former secret")
		path := writeKeytab(t, old)
		m := newMechanism(t, k, func(cfg *Config) { cfg.Password, cfg.Keytab = "", path })
		for range 20 {
			refuse(t, m, broker("b1"), true, "the key in "+path+" is not that of alice@EXAMPLE.TEST any more")
			time.Sleep(time.Second)
		}
		if got := k.log(); len(got) != 1 {
			t.Errorf("the KDC was asked %q", got)
		}
		time.Sleep(defaultMinRelogin)
		refuse(t, m, broker("b1"), true)
		if got := k.log(); len(got) != 1 {
			t.Errorf("a minute later the KDC was asked %q", got)
		}
		fresh := keytab.New()
		addKey(t, fresh, "bob", testRealm, "in the way")
		addKey(t, fresh, "alice", testRealm, "secret of alice")
		content, _ := fresh.Marshal()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		begin(t, m, broker("b1"))
	})
}

// A clock that is wrong is told, with how wrong it is. It is final at the first login; later time is given to set it.
func TestClocksThatDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		m := newMechanism(t, k, nil)
		k.skew = -10 * time.Minute
		refuse(t, m, broker("b1"), true, "KRB_AP_ERR_SKEW", "the clock of this machine is 10m0s ahead of the KDC's: set it")
		k.skew = 0
		begin(t, m, broker("b1"))
		time.Sleep(k.life)
		k.skew = 10 * time.Minute
		refuse(t, m, broker("b1"), false, "10m0s behind the KDC's")
	})
}

// Tickets are replaced when four fifths of their life are over, beside the connections, which go on with the old ones.
func TestTicketsAreReplacedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		m := newMechanism(t, k, nil)
		a := &acceptor{keys: k.keys}
		begin(t, m, broker("b1"))
		k.log()
		time.Sleep(k.life * 79 / 100)
		begin(t, m, broker("b1"))
		synctest.Wait()
		if got := k.log(); len(got) > 0 {
			t.Errorf("before its time the KDC was asked %q", got)
		}
		time.Sleep(k.life * 6 / 100) // the jitter is 5 % at most
		k.set(func() { k.silent = true })
		start := time.Now()
		e := begin(t, m, broker("b1"))
		if took := time.Since(start); took > 0 {
			t.Errorf("a connection waited %v for a KDC that it does not need", took)
		}
		time.Sleep(kdcPatience)
		synctest.Wait()
		if err := a.authenticate(t.Context(), e); err != nil {
			t.Errorf("with the old ticket: %v", err)
		}
		k.set(func() { k.silent = false })
		k.log()
		begin(t, m, broker("b1"))
		synctest.Wait()
		if got := k.log(); len(got) > 0 {
			t.Errorf("after a failure, at once, the KDC was asked %q", got)
		}
		time.Sleep(afterFailure)
		begin(t, m, broker("b1"))
		synctest.Wait()
		if got, want := k.log(), []string{"AS alice", "TGS kafka/b1.example.test"}; !slices.Equal(got, want) {
			t.Errorf("the KDC was asked %q", got)
		}
		k.set(func() { k.down = true })
		time.Sleep(k.life / 2) // the first tickets have ended
		if err := a.authenticate(t.Context(), begin(t, m, broker("b1"))); err != nil {
			t.Errorf("with the new ticket: %v", err)
		}
	})
}

// When all tickets have ended, the next connection logs in.
func TestTicketsThatHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		m := newMechanism(t, k, nil)
		begin(t, m, broker("b1"))
		time.Sleep(k.life)
		k.log()
		begin(t, m, broker("b1"))
		if got, want := k.log(), []string{"AS alice", "TGS kafka/b1.example.test"}; !slices.Equal(got, want) {
			t.Errorf("the KDC was asked %q", got)
		}
	})
}

// A KDC that takes the ticket-granting ticket no more, as one does that was set up anew, leads to a login.
func TestATicketThatTheKDCTakesNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		m := newMechanism(t, k, nil)
		begin(t, m, broker("b1"))
		k.answer["TGS kafka/b2.example.test"] = errorcode.KRB_AP_ERR_TKT_EXPIRED
		refuse(t, m, broker("b2"), false, "a new one is fetched")
		delete(k.answer, "TGS kafka/b2.example.test")
		k.log()
		begin(t, m, broker("b2"))
		if got, want := k.log(), []string{"AS alice", "TGS kafka/b2.example.test"}; !slices.Equal(got, want) {
			t.Errorf("the KDC was asked %q", got)
		}
	})
}

// A service of another realm is found by the map of krb5.conf, and by the KDC's lead.
func TestAServiceOfAnotherRealm(t *testing.T) {
	for _, found := range []string{"by krb5.conf", "by the KDC"} {
		t.Run(found, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newFakeKDC(t)
				k.add("krbtgt/OTHER.TEST", testRealm, "between the realms")
				k.add("krbtgt/OTHER.TEST", "OTHER.TEST", "between the realms")
				k.add("kafka/b9.other.test", "OTHER.TEST", "of broker 9")
				conf := testConf + " OTHER.TEST = {\n kdc = kdc.other.test\n }\n"
				if found == "by krb5.conf" {
					conf += "[domain_realm]\n .other.test = OTHER.TEST\n"
				} else {
					k.lead["TGS kafka/b9.other.test"] = "OTHER.TEST"
				}
				m := newMechanism(t, k, func(cfg *Config) { cfg.Krb5Conf = writeFile(t, "krb5.conf", conf) })
				target := broker("b1")
				target.Host = "b9.other.test"
				a := &acceptor{keys: k.keys}
				if err := a.authenticate(t.Context(), begin(t, m, target)); err != nil || a.client != "alice@EXAMPLE.TEST" {
					t.Errorf("%v, the broker has heard of %s", err, a.client)
				}
				if a.ticket.Realm != "OTHER.TEST" {
					t.Errorf("the ticket is of %s", a.ticket.Realm)
				}
			})
		})
	}
}

// Answers that nobody could have meant end in words.
func TestAnswersThatMakeNoSense(t *testing.T) {
	for _, c := range []struct {
		name    string
		mangled func([]byte) any
		words   string
	}{
		{"nothing", func([]byte) any { return nil }, "no answer"},
		{"half an answer", func(b []byte) any { return b[:len(b)/2] }, "alice@EXAMPLE.TEST"},
		{"another protocol", func([]byte) any { return []byte("HTTP/1.1 400 Bad Request\r\n") }, "alice@EXAMPLE.TEST"},
		{"empty", func([]byte) any { return []byte{} }, "this is no KDC"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newFakeKDC(t)
				k.mangled = c.mangled
				m := newMechanism(t, k, nil)
				refuse(t, m, broker("b1"), false, c.words)
				k.set(func() { k.mangled = nil })
				begin(t, m, broker("b1"))
			})
		})
	}
}

// An answer to another question is not taken, whoever has made it: not one for another broker, and not an old one.
func TestAnAnswerToAnotherQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		m := newMechanism(t, k, nil)
		var first []byte
		k.mangled = func(b []byte) any {
			if len(b) > 0 && b[0] == 0x6d { // TGS-REP
				if first == nil {
					first = slices.Clone(b)
				}
				return first
			}
			return b
		}
		begin(t, m, broker("b1")).(*exchange).Explain("")
		for _, host := range []string{"b1", "b2"} {
			refuse(t, m, broker(host), false, "another question")
		}
	})
}
