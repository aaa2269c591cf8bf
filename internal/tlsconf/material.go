package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/internal/keystore"
	"github.com/epistle-kafka/epistle/internal/shown"
)

// material is what was loaded. It does not change.
type material struct {
	roots   *x509.CertPool // nil: the configuration's own
	trusted string         // who that is, in words; "" with no roots
	pairs   []tls.Certificate
}

// loaded is the outcome of one attempt to load.
type loaded struct {
	material
	notices  []Notice
	problems []Problem

	badTrust, badKeys bool // what the problems are about
}

func (l *loaded) refuse(p Problem, bad *bool) {
	l.problems = append(l.problems, p)
	*bad = true
}

func (l *loaded) notice(key, text string) { l.notices = append(l.notices, Notice{key, text}) }

// load makes certificates of what the files have.
func (f *Files) load(trust, keys content, now time.Time) *loaded {
	out := &loaded{}
	if s := f.trustStore(); len(s.paths) > 0 {
		out.loadTrust(s, trust, f.TrustStorePassword, now)
	}
	if s := f.keyStore(); len(s.paths) > 0 {
		out.loadKeys(s, keys, f.KeyStorePassword, f.KeyPassword, now)
	}
	return out
}

func (l *loaded) loadTrust(s store, c content, password keystore.Password, now time.Time) {
	if c.err != nil {
		l.refuse(s.problem(c.err), &l.badTrust)
		return
	}
	trust, err := keystore.ReadTrust(c.data, password)
	if err != nil {
		l.refuse(s.problem(err), &l.badTrust)
		return
	}
	l.tell(s, trust.Notices)
	l.trust(s.location, s.name(), trust.Certificates, now)
	if password.IsSet() && (trust.Kind == keystore.PEM || trust.Kind == keystore.DER) {
		l.notice(s.password, fmt.Sprintf("has no effect: %s is %s, which has no password", s.name(), trust.Kind))
	}
}

// trust makes the pool, and reports certificates that are no longer of use.
func (l *loaded) trust(key, name string, certs []*x509.Certificate, now time.Time) {
	l.roots = x509.NewCertPool()
	var over []string
	for _, cert := range certs {
		l.roots.AddCert(cert)
		if why := invalidAt(cert, now); why != "" {
			over = append(over, why)
		}
	}
	l.trusted = count(len(certs), "certificate") + " of " + name
	if len(over) > 0 {
		const most = 3
		more := ""
		if len(over) > most {
			more = fmt.Sprintf(", and %d more", len(over)-most)
			over = over[:most]
		}
		l.notice(key, fmt.Sprintf("of the %s: %s%s", l.trusted, strings.Join(over, ", "), more))
	}
}

func (l *loaded) loadKeys(s store, c content, password, keyPassword keystore.Password, now time.Time) {
	if c.err != nil {
		l.refuse(s.problem(c.err), &l.badKeys)
		return
	}
	if len(s.paths) > 1 { // each is read by itself, so that a fault of one is not taken for a fault of both
		for i, setting := range []string{keyCertificate, keyKey} {
			if wrong := keystore.NotPEM(c.parts[i]); wrong != nil {
				l.refuse(Problem{setting, wrong.AboutFile(quote(s.paths[i]), shellWord(s.paths[i]))}, &l.badKeys)
				return
			}
		}
	}
	keys, err := keystore.ReadKeys(c.data, password, keyPassword)
	if err != nil {
		l.refuse(s.problem(err), &l.badKeys)
		return
	}
	l.tell(s, keys.Notices)
	l.show(s.location, s.name(), keys.Keys, now)
	if keyPassword.IsSet() && !keys.Encrypted {
		l.notice(s.keySecret, "has no effect: the key is not encrypted")
	}
	if password.IsSet() && keys.Kind == keystore.PEM {
		l.notice(s.password, fmt.Sprintf("has no effect: %s is PEM, whose keys are decrypted with %s", s.name(), s.keySecret))
	}
}

// show takes the pairs, and reports those that brokers will refuse.
func (l *loaded) show(key, name string, keys []keystore.Key, now time.Time) {
	for _, k := range keys {
		l.pairs = append(l.pairs, k.Pair)
		if why := invalidAt(k.Pair.Leaf, now); why != "" {
			l.notice(key, fmt.Sprintf("in %s, %s: brokers will refuse it", name, why))
		}
	}
}

func (l *loaded) tell(s store, notices []string) {
	for _, text := range notices {
		l.notice(s.location, strings.ReplaceAll(text, "{}", s.name()))
	}
}

// invalidAt says why a certificate is not valid at a time; "" if it is.
func invalidAt(cert *x509.Certificate, now time.Time) string {
	const day = time.DateOnly + " 15:04 MST"
	name := "the certificate of " + shown.Quoted(cert.Subject.String())
	switch {
	case now.After(cert.NotAfter):
		return name + " expired on " + cert.NotAfter.UTC().Format(day)
	case now.Before(cert.NotBefore):
		return name + " is not valid before " + cert.NotBefore.UTC().Format(day)
	}
	return ""
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// verifyChain verifies all but the host name.
func verifyChain(roots *x509.CertPool, state tls.ConnectionState, now time.Time) error {
	if len(state.PeerCertificates) == 0 {
		return fmt.Errorf("the broker has sent no certificate")
	}
	options := x509.VerifyOptions{Roots: roots, CurrentTime: now, Intermediates: x509.NewCertPool()}
	for _, cert := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(cert)
	}
	if _, err := state.PeerCertificates[0].Verify(options); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	return nil
}
