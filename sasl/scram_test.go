package sasl

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"strings"
	"testing"
)

// A conversation is one that Kafka's own classes have computed: the first is also the one of RFC 7677.
type conversation struct {
	name                   string
	m                      Mechanism
	nonce                  string
	first                  string // "" to leave it out
	challenge, proof, sign string
}

const (
	rfcNonce  = "rOprNGfwEbeRWgbNEkqO"
	rfcServer = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	romanSalt = "r=cn3sn3,s=a2Fma2Etc2FsdC0wMDAz,i=4096"
)

func conversations() []conversation {
	return []conversation{
		{"RFC 7677", ScramSHA256("user", "pencil"), rfcNonce, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO", rfcServer,
			"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
		{"SHA-512", ScramSHA512("user", "pencil"), rfcNonce, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO", rfcServer,
			"gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
			"ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="},
		{"escaped name", ScramSHA256("a=b,c", "p,w=\u00e9\u2126"), "clientnonce1", "n,,n=a=3Db=2Cc,r=clientnonce1",
			"r=clientnonce1servernonce1,s=a2Fma2Etc2FsdC0wMDAx,i=8192",
			"ZRmNIWFgZCl6wIFYbQzZKvExauodSpvZOO7+8NiwQdI=", "NqcXRKHBfkGPrG7L6IBqRsghsKptMHG0sdO0mL4WmOE="},
		{"delegation token", ScramSHA512From(DelegationToken("tokenid", "aGVsbG8gaG1hYw==")), "clientnonce2",
			"n,,n=tokenid,r=clientnonce2,tokenauth=true", "r=clientnonce2servernonce2,s=a2Fma2Etc2FsdC0wMDAy,i=4096",
			"UdfSQKElKvifJbYNl914SQaxZkuA7JzZjOgRqomQQy7puXjq276Zdp3dDwI6EeZr/EOf1CP0RpIC5fzZ1Xag8A==",
			"1Ykp4w5uJUmGvuG843/NosuLD90tc1PZMJIDLB0d4t/8KiY7hDmoo98IF2f264IQqCxyjVDwoPTD84prC9bf+g=="},
		{"one character, no preparation", ScramSHA256("user", "\u2168"), "cn3", "n,,n=user,r=cn3", romanSalt,
			"EWrN9/wNShDMp8qtJRKxwKpglVPxm3rcx4fiA4fToXQ=", "TZYalIOmSaZn+k5jj0wJ7PE0Cu7C8E0S0/AQ6lTpxnA="},
		{"two characters", ScramSHA256("user", "IX"), "cn3", "n,,n=user,r=cn3", romanSalt,
			"TKSMVnvmY660kD+ZETFPjvY61BcQGlQiA/IjhWfeWzU=", "XXye3Vpf6peqURTVpX61hlabNd2Zmr4n4cVN93F4MHs="},
	}
}

func TestScramSpeaksAsKafkaDoes(t *testing.T) {
	for _, c := range conversations() {
		t.Run(c.name, func(t *testing.T) {
			c.m.(*scram).nonce = func() string { return c.nonce }
			for range 2 { // the second time, by what is kept of the first
				e := begin(t, c.m)
				if got, _ := next(t, e, ""); got != c.first {
					t.Errorf("first %q, want %q", got, c.first)
				}
				nonce, _, _ := strings.Cut(strings.TrimPrefix(c.challenge, "r="), ",")
				if got, done := next(t, e, c.challenge); got != "c=biws,r="+nonce+",p="+c.proof || done {
					t.Errorf("final %q, done %v", got, done)
				}
				if _, done := next(t, e, "v="+c.sign); !done {
					t.Error("not done")
				}
				if _, _, err := e.Next(t.Context(), nil); err == nil {
					t.Error("goes on after its end")
				}
			}
		})
	}
}

// after runs an exchange of RFC 7677 up to the answer that matters.
func after(t *testing.T, answers ...string) (err error) {
	t.Helper()
	m := ScramSHA256("user", "pencil")
	m.(*scram).nonce = func() string { return rfcNonce }
	e := begin(t, m)
	next(t, e, "")
	for i, answer := range answers {
		var done bool
		_, done, err = e.Next(t.Context(), []byte(answer))
		if err != nil && i < len(answers)-1 {
			t.Fatalf("answer %d: %v", i, err)
		}
		if done {
			t.Errorf("done by %q", answer)
		}
	}
	return err
}

// A broker that does not know the password cannot pose as one that does, nor have the client give its password away or
// work for ever.
func TestScramTrustsNoBroker(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		final        bool
		says         string
	}{
		{"another nonce", "r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", false, "nonce does not begin with ours"},
		{"a nonce of ours cut short", "r=" + rfcNonce[:10] + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", false, "nonce"},
		{"4095 rounds", strings.Replace(rfcServer, "4096", "4095", 1), true, "4095 rounds of hashing, and fewer than 4096 are not safe"},
		{"1 round", strings.Replace(rfcServer, "4096", "1", 1), true, "not safe"},
		{"a million and one", strings.Replace(rfcServer, "4096", "1000001", 1), true, "1000000 is the limit"},
		{"more than fits", strings.Replace(rfcServer, "4096", "99999999999999999999", 1), true, "1000000 is the limit"},
		{"no rounds", strings.Replace(rfcServer, "4096", "", 1), false, "no SCRAM message"},
		{"negative rounds", strings.Replace(rfcServer, "4096", "-99999999999999999999", 1), false, "no SCRAM message"},
		{"no salt", "r=" + rfcNonce + "x,s=,i=4096", false, "no SCRAM message"},
		{"no base64", "r=" + rfcNonce + "x,s=%%%,i=4096", false, "no SCRAM message"},
		{"two parts", "r=" + rfcNonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==", false, "no SCRAM message"},
		{"control characters", "r=" + rfcNonce + "\x01,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", false, "no SCRAM message"},
		{"a demand", "m=x," + rfcServer, true, "demands an extension"},
		{"nothing", "", false, "no SCRAM message"},
		{"too much", rfcServer + "," + strings.Repeat("x", mostOfScram), false, "bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := after(t, c.answer)
			if err == nil || IsFinal(err) != c.final {
				t.Fatalf("%v, final %v", err, IsFinal(err))
			}
			has(t, err.Error(), "SCRAM-SHA-256", c.says)
		})
	}
	for _, final := range []string{"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=", "v=AAAA"} {
		if err := after(t, rfcServer, final); err == nil || !IsFinal(err) {
			t.Errorf("%q: %v", final, err)
		}
	}
	for _, final := range []string{"", "x=1", "v=%"} {
		if err := after(t, rfcServer, final); err == nil {
			t.Errorf("%q is taken", final)
		}
	}
}

func TestScramLetsExtensionsPass(t *testing.T) {
	if _, err := parseServerFirst(rfcServer + ",x=1"); err != nil {
		t.Error(err)
	}
	if _, err := parseServerFinal("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=,x=1"); err != nil {
		t.Error(err)
	}
}

// Kafka's brokers never send e=, but others may.
func TestScramRefusedInItsOwnWay(t *testing.T) {
	for _, err := range []error{after(t, "e=unknown-user"), after(t, rfcServer, "e=invalid-proof")} {
		refused, ok := errors.AsType[*RefusedError](err)
		if !ok || refused.Mechanism != "SCRAM-SHA-256" || refused.Hint == "" {
			t.Errorf("%#v", err)
		}
	}
}

// Kafka does not tell an unknown user from a wrong password, and neither does the hint.
func TestScramExplains(t *testing.T) {
	const words = "Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512"
	early, late := begin(t, ScramSHA512("alice", "secret")), begin(t, ScramSHA512("alice", "secret"))
	next(t, early, "")
	first, _ := next(t, late, "")
	_, nonce, _ := strings.Cut(first, "r=")
	next(t, late, "r="+nonce+"x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
	hint := early.(Explainer).Explain(words)
	if late.(Explainer).Explain(words) != hint {
		t.Error("the hint tells where the exchange has ended")
	}
	has(t, hint, `password of "alice" may be wrong`, "no credential for SCRAM-SHA-512", "sees by kafka-configs.sh --bootstrap-server HOST:PORT --describe --entity-type users --entity-name alice")
	token := begin(t, ScramSHA512From(DelegationToken("abc", "secret"))).(Explainer)
	has(t, token.Explain(words), "delegation token", "expired")
	odd := begin(t, ScramSHA512("a; rm -r", "secret")).(Explainer)
	has(t, odd.Explain(words), "--entity-name NAME")
	has(t, odd.Explain("Cannot change principals during re-authentication from User.a: User.b"), "session cannot change its user")
}

// What was hashed is kept for each password, salt and count, and no more than a bound of it.
func TestScramCacheIsBounded(t *testing.T) {
	cache := &scramCache{hash: sha256.New}
	get := func(password, salt string, iterations int) string {
		keys, err := cache.keys(seal(password), salt, iterations)
		if err != nil {
			t.Fatal(err)
		}
		return string(keys.client)
	}
	one := get("pencil", "salt-0", 2)
	if get("pencil", "salt-0", 2) != one || get("pencil", "salt-1", 2) == one || get("pencil", "salt-0", 3) == one || get("pen", "salt-0", 2) == one {
		t.Error("keys are mixed up")
	}
	for i := range 2 * mostScramKeys {
		get("pencil", fmt.Sprint("salt-", i), 2)
	}
	if len(cache.known) != mostScramKeys || len(cache.order) != mostScramKeys {
		t.Errorf("keeps %d and %d", len(cache.known), len(cache.order))
	}
	if get("pencil", "salt-0", 2) != one {
		t.Error("what was dropped comes back as something else")
	}
}

// What was hashed already is not hashed again.
func TestScramHashesOnce(t *testing.T) {
	hashes := 0
	cache := &scramCache{hash: func() hash.Hash { hashes++; return sha256.New() }}
	for i, password := range []string{"pencil", "pencil", "pen"} {
		before := hashes
		if _, err := cache.keys(seal(password), "salt", 4096); err != nil {
			t.Fatal(err)
		}
		if again := hashes == before; again != (i == 1) {
			t.Errorf("password %d: %d hashes more", i, hashes-before)
		}
	}
}

func TestScramNoncesDiffer(t *testing.T) {
	m := ScramSHA256("user", "pencil")
	a, _ := next(t, begin(t, m), "")
	b, _ := next(t, begin(t, m), "")
	if a == b || len(a) < len("n,,n=user,r=")+20 {
		t.Errorf("%q and %q", a, b)
	}
}
