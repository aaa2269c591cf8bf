package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// expiresSoon is when a certificate is about to expire: within this, and in the last third of its time, so that one that is
// made for a day is not suspect all day.
const expiresSoon = 14 * 24 * time.Hour

// judgeTLS says what the server has shown.
func judgeTLS(c Check, state *tls.ConnectionState, now time.Time) Check {
	c.Stage, c.Verdict = TLS, OK
	if state == nil || len(state.PeerCertificates) == 0 {
		c.Text = "the server has shown no certificate"
		return c
	}
	leaf := state.PeerCertificates[0]
	c.Text = fmt.Sprintf("%s, certificate of %s for %s, by %s, %s", tls.VersionName(state.Version),
		nameOf(leaf.Subject.String()), certificateNames(leaf), nameOf(leaf.Issuer.String()), validity(leaf, now))
	if n := len(state.PeerCertificates); n > 1 {
		c.Text += fmt.Sprintf("; %d certificates were sent", n)
	}
	if len(state.VerifiedChains) == 0 {
		c.Verdict = Notice
		c.Text += "; it was not verified"
		c.Advice = "the settings do not have it verified, so whoever is in between can pose as the broker: leave InsecureSkipVerify out"
	}
	first := leaf
	for _, cert := range state.PeerCertificates {
		if cert.NotAfter.Before(first.NotAfter) {
			first = cert
		}
	}
	if soon(first, now) {
		c.Verdict = Notice
		c.Advice = fmt.Sprintf("renew the certificate of %s in the broker's key store: %s", nameOf(first.Subject.String()), validity(first, now))
	}
	return c
}

// soon reports whether a certificate is about to expire.
func soon(cert *x509.Certificate, now time.Time) bool {
	left := cert.NotAfter.Sub(now)
	return left < expiresSoon && left < cert.NotAfter.Sub(cert.NotBefore)/3
}

// validity says how long a certificate is valid.
func validity(cert *x509.Certificate, now time.Time) string {
	left := cert.NotAfter.Sub(now)
	until := cert.NotAfter.UTC().Format(time.DateOnly)
	switch days := int(left / (24 * time.Hour)); {
	case days <= -2:
		return fmt.Sprintf("expired %d days ago (%s)", -days, until)
	case left < 0:
		return fmt.Sprintf("expired %.0f hours ago (%s)", -left.Hours(), cert.NotAfter.UTC().Format(time.RFC3339))
	case days < 2:
		return fmt.Sprintf("expires in %.0f hours (%s)", left.Hours(), cert.NotAfter.UTC().Format(time.RFC3339))
	default:
		return fmt.Sprintf("expires in %d days (%s)", days, until)
	}
}

// certificateNames lists what hosts a certificate is for.
func certificateNames(cert *x509.Certificate) string {
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no host"
	}
	return shownList(names, 3)
}

// nameOf quotes a name out of a certificate. Names of authorities are short; what is long is cut.
func nameOf(name string) string {
	const most = 100
	if len(name) > most {
		name = name[:most] + "…"
	}
	return protocol.Quoted(name)
}

// judgeLogin says how the broker has let us in.
func judgeLogin(c Check, mechanism string, overTLS bool, session time.Duration) Check {
	c.Stage, c.Verdict = SASL, OK
	c.Text = "logged in by " + protocol.Shown(mechanism)
	if session > 0 {
		c.Text += fmt.Sprintf("; the session lasts %v, and is renewed before", session)
	}
	if !overTLS && (mechanism == "PLAIN" || mechanism == "OAUTHBEARER") {
		c.Verdict = Notice
		c.Text += "; the credentials go over the network as they are"
		c.Advice = "set TLS (security.protocol SASL_SSL), or use SCRAM: everybody on the way can read them"
	}
	return c
}
