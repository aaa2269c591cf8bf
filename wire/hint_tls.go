package wire

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

const (
	hintNoTLS     = "the other end does not speak TLS: use its TLS port, or no TLS (security.protocol PLAINTEXT or SASL_PLAINTEXT)"
	hintTLSHungUp = "the other end hung up on the TLS handshake without a word: the listener may be one without TLS (security.protocol PLAINTEXT or SASL_PLAINTEXT); or a proxy reaches no broker, or knows none by this name; or the broker in a container is still starting behind its port (try again in some seconds)"
	hintTLSMiddle = "the other end hung up in the middle of the TLS handshake: check the versions and ciphers allowed on both sides; or a proxy has lost the broker"
	hintTLSSilent = "the other end took the connection and does not answer the TLS handshake: it may be overloaded, or speak no TLS; or a firewall drops what it says"
	hintAlert     = "the broker refused our side of TLS: check the client certificate and the versions and ciphers allowed"
	hintHostname  = "connect by one of the names in the broker's certificate, or set TLS.ServerName"
)

// hintTLS says what to do about a failed handshake.
func hintTLS(e *Error, s *secure) string {
	var (
		record    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch err := e.Err; {
	case errors.As(err, &record):
		return hintNoTLS
	case errors.As(err, &authority):
		return s.hintAuthority(err, authority)
	case errors.As(err, &name):
		return e.hintHostname(name)
	case errors.As(err, &invalid):
		return hintInvalid(invalid)
	case isAlert(err):
		return s.hintAlert()
	case hungUp(err) && !s.heard:
		return hintTLSHungUp
	case hungUp(err) && s.asked:
		return s.hintHungUp()
	case hungUp(err):
		return hintTLSMiddle
	case timedOut(err):
		return hintTLSSilent
	}
	return ""
}

// hintAuthority says who has signed the broker's certificate, and who is trusted instead.
func (s *secure) hintAuthority(err error, unknown x509.UnknownAuthorityError) string {
	by := "the broker's certificate is signed by nobody whom we trust"
	var failed *tls.CertificateVerificationError
	chain := []*x509.Certificate{unknown.Cert}
	if errors.As(err, &failed) {
		chain = failed.UnverifiedCertificates
	}
	if top := topOf(chain); top != nil {
		switch {
		case len(chain) == 1 && bytes.Equal(top.RawIssuer, top.RawSubject):
			by = "the broker's certificate is signed by itself, and is not trusted"
		default:
			by = "the broker's certificate leads to " + shownName(top.Issuer.String()) + ", which is not trusted"
			if len(chain) == 1 {
				by += "; if that is an intermediate authority, the broker's key store lacks its certificate"
			}
		}
	}
	switch {
	case s.trusted != "":
		return by + "; trusted: " + s.trusted + " (ssl.truststore.location)"
	case s.system:
		return by + "; trusted are the system's authorities: give the broker's CA in TLS.RootCAs (ssl.truststore.location)"
	}
	return by + "; trusted are those of TLS.RootCAs"
}

// topOf follows the issuers from the first certificate to the last one whose issuer is not in the chain.
func topOf(chain []*x509.Certificate) *x509.Certificate {
	if len(chain) == 0 || chain[0] == nil {
		return nil
	}
	top := chain[0]
	for range chain {
		for _, next := range chain[1:] {
			if bytes.Equal(next.RawSubject, top.RawIssuer) {
				top = next
				break
			}
		}
	}
	return top
}

// hintHostname says what to do if the certificate does not have the name. The error lists those that it has.
func (e *Error) hintHostname(wrong x509.HostnameError) string {
	cert := wrong.Certificate
	if cert == nil {
		return hintHostname
	}
	if len(cert.DNSNames)+len(cert.IPAddresses) == 0 {
		return fmt.Sprintf("the broker's certificate has no subjectAltName, and its common name (%s) does not count: have it issued with a subjectAltName, or set TLS.ServerName",
			shownName(cert.Subject.CommonName))
	}
	if len(cert.IPAddresses) == 0 && net.ParseIP(wrong.Host) != nil { // the error says no more than that
		return fmt.Sprintf("the broker's certificate is for %s: %s", namesOf(cert), hintHostname)
	}
	if e.NodeID >= 0 {
		return hintHostname + "; this address comes from the cluster (advertised.listeners)"
	}
	return hintHostname
}

// namesOf lists the DNS names that a certificate is for.
func namesOf(cert *x509.Certificate) string {
	const shown = 3
	var names []string
	for _, name := range cert.DNSNames[:min(shown, len(cert.DNSNames))] {
		names = append(names, protocol.Shown(name))
	}
	text := strings.Join(names, ", ")
	if more := len(cert.DNSNames) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more names", more)
	}
	return text
}

// hintInvalid says which certificate of the chain is invalid: it need not be the broker's own.
func hintInvalid(invalid x509.CertificateInvalidError) string {
	whose := "the broker's certificate"
	if invalid.Cert != nil {
		whose = "the certificate of " + shownName(invalid.Cert.Subject.String())
		if invalid.Reason == x509.Expired {
			whose += ", which is valid from " + invalid.Cert.NotBefore.UTC().Format(time.RFC3339) + " to " + invalid.Cert.NotAfter.UTC().Format(time.RFC3339)
		}
	}
	if invalid.Reason == x509.Expired {
		return "check " + whose + ", and the clock of this machine"
	}
	return "check " + whose
}

// hintAlert says what we have shown to a broker that has refused us.
func (s *secure) hintAlert() string {
	switch {
	case !s.asked:
		return hintAlert
	case s.sent != nil:
		return s.hintRefused()
	}
	return s.hintNoneSent()
}

// hintHungUp is for a broker that has asked for a certificate and then hung up, which does not prove that it has refused us.
func (s *secure) hintHungUp() string {
	if s.sent == nil {
		return s.hintNoneSent()
	}
	return fmt.Sprintf("the other end hung up after it was shown the client certificate of %s, issued by %s: it may not accept that one, or a proxy reaches no broker%s",
		shownName(s.sent.Subject.String()), shownName(s.sent.Issuer.String()), s.accepted())
}

// hintRefused describes the certificate that was sent.
func (s *secure) hintRefused() string {
	text := fmt.Sprintf("the broker refused the client certificate of %s, issued by %s", shownName(s.sent.Subject.String()), shownName(s.sent.Issuer.String()))
	switch now := time.Now(); {
	case now.After(s.sent.NotAfter):
		return text + ", which expired on " + s.sent.NotAfter.UTC().Format(time.RFC3339)
	case now.Before(s.sent.NotBefore):
		return text + ", which is not valid before " + s.sent.NotBefore.UTC().Format(time.RFC3339)
	}
	return text + s.accepted()
}

// hintNoneSent says why no certificate was sent.
func (s *secure) hintNoneSent() string {
	const wants = "the broker wants a client certificate, and none was sent: "
	if len(s.configured) == 0 && !s.chooses {
		return wants + "none is configured (ssl.keystore.location)" + s.accepted()
	}
	text := wants + "none that is configured is issued by an authority that the broker accepts"
	if len(s.configured) > 0 {
		text += ", the first one is by " + shownName(s.configured[0].Issuer.String())
	}
	return text + s.accepted()
}

// accepted lists the authorities that the broker has named.
func (s *secure) accepted() string {
	const shown = 3
	var names []string
	for _, der := range s.acceptable[:min(shown, len(s.acceptable))] {
		var dn pkix.RDNSequence
		if rest, err := asn1.Unmarshal(der, &dn); err == nil && len(rest) == 0 {
			names = append(names, shownName(dn.String()))
		}
	}
	if len(names) == 0 {
		return ""
	}
	text := "; it accepts those of " + strings.Join(names, ", ")
	if more := len(s.acceptable) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// shownName quotes a name out of a certificate. Names of authorities are short; what is long is cut.
func shownName(name string) string {
	const most = 100
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "…"
	}
	return protocol.Quoted(name)
}
