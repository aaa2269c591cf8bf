package producer

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/epistle-kafka/epistle/internal/properties"
)

// tlsSource is what properties say of TLS: the ssl.* keys, whose values are resolved, and where to report what is wrong with
// one of them. A problem is about a key that was set, or that should have been.
type tlsSource interface {
	Value(key string) (value string, isSet bool)
	Problem(key, rule string)
	Notice(key, text string)
}

// tlsOf makes Config.TLS of the ssl.* keys. If it has reported a problem, nothing uses what it returns.
func tlsOf(source tlsSource) *tls.Config {
	r := &tlsResolver{source}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	r.tlsVersions(c)
	r.tlsCiphers(c)
	if trusted, key := r.pemStore("ssl.truststore", "ssl.truststore.certificates"); trusted != "" {
		c.RootCAs = x509.NewCertPool()
		if rule := addCertificates(c.RootCAs, trusted); rule != "" {
			r.Problem(key, rule)
		}
	}
	r.clientCertificate(c)
	switch algorithm, isSet := r.Value("ssl.endpoint.identification.algorithm"); {
	case !isSet || strings.EqualFold(algorithm, "https"):
	case algorithm == "":
		withoutHostName(c)
		r.Notice("ssl.endpoint.identification.algorithm", "host names are not checked: whoever has any certificate of a trusted authority can pose as the broker")
	default:
		r.Problem("ssl.endpoint.identification.algorithm", "must be https, or empty for no check of the host name")
	}
	return c
}

// tlsResolver reads the ssl.* keys.
type tlsResolver struct{ tlsSource }

// withoutHostName has c verify the chain of certificates but not the name in it. InsecureSkipVerify alone would skip
// both.
func withoutHostName(c *tls.Config) {
	roots := c.RootCAs
	c.InsecureSkipVerify = true
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("producer: the broker sent no certificate")
		}
		options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, cert := range state.PeerCertificates[1:] {
			options.Intermediates.AddCert(cert)
		}
		_, err := state.PeerCertificates[0].Verify(options)
		return err
	}
}

func (r *tlsResolver) tlsVersions(c *tls.Config) {
	const key = "ssl.enabled.protocols"
	v, _ := r.Value(key)
	names := properties.List(v)
	if len(names) == 0 {
		return
	}
	c.MinVersion, c.MaxVersion = tls.VersionTLS13, 0
	var tls12, tls13 bool
	for _, name := range names {
		switch name {
		case "TLSv1.2":
			tls12 = true
			c.MinVersion = tls.VersionTLS12
		case "TLSv1.3":
			tls13 = true
		case "TLSv1", "TLSv1.1", "SSLv3", "SSLv2Hello":
			r.Notice(key, name+" is left out: it is broken, and current JVMs disable it too")
		default:
			r.Problem(key, "has "+name+", but knows TLSv1.2 and TLSv1.3")
		}
	}
	if !tls13 {
		c.MaxVersion = tls.VersionTLS12
	}
	if !tls12 && !tls13 {
		r.Problem(key, "must have TLSv1.2 or TLSv1.3")
	}
}

// tlsCiphers narrows what is offered to the list, never widens it.
func (r *tlsResolver) tlsCiphers(c *tls.Config) {
	const key = "ssl.cipher.suites"
	v, _ := r.Value(key)
	names := properties.List(v)
	if len(names) == 0 {
		return
	}
	known := map[string]*tls.CipherSuite{}
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		known[s.Name] = s
	}
	modern := false // a suite of TLS 1.3 is listed
	for _, name := range names {
		switch s := known[name]; {
		case s == nil:
			r.Notice(key, name+" is left out: Go does not have it")
		case s.SupportedVersions[0] == tls.VersionTLS13:
			modern = true
		default:
			c.CipherSuites = append(c.CipherSuites, s.ID)
		}
	}
	switch {
	case !modern && len(c.CipherSuites) == 0:
		r.Problem(key, "has no cipher suite that Go knows")
	case !modern:
		c.MaxVersion = tls.VersionTLS12
		if c.MinVersion > c.MaxVersion {
			r.Problem(key, "has suites of TLS 1.2 only, while ssl.enabled.protocols asks for TLSv1.3 only")
		}
	case len(c.CipherSuites) == 0:
		c.MinVersion = tls.VersionTLS13
		if c.MaxVersion == tls.VersionTLS12 {
			r.Problem(key, "has suites of TLS 1.3 only, while ssl.enabled.protocols asks for TLSv1.2 only")
		}
		fallthrough
	default:
		r.Notice(key, "of TLS 1.3, Go offers all suites: they cannot be chosen singly")
	}
}

func (r *tlsResolver) clientCertificate(c *tls.Config) {
	_, keyInline := r.Value("ssl.keystore.key")
	_, chainInline := r.Value("ssl.keystore.certificate.chain")
	if keyInline != chainInline {
		if keyInline {
			r.Problem("ssl.keystore.key", "needs ssl.keystore.certificate.chain with it")
		} else {
			r.Problem("ssl.keystore.certificate.chain", "needs ssl.keystore.key with it")
		}
		return
	}
	store, key := r.pemStore("ssl.keystore", "ssl.keystore.key")
	if store == "" {
		return
	}
	chain := store
	if keyInline {
		chain, _ = r.Value("ssl.keystore.certificate.chain")
	}
	if strings.Contains(store, "BEGIN ENCRYPTED PRIVATE KEY") {
		r.Problem(key, "holds an encrypted key, which cannot be read: decrypt it with `openssl pkcs8 -in key.pem -out plain.pem`, or set Config.TLS")
		return
	}
	cert, err := tls.X509KeyPair([]byte(chain), []byte(store))
	if err != nil {
		r.Problem(key, "must be a key and its certificates in PEM: "+strings.TrimPrefix(err.Error(), "tls: "))
		return
	}
	if _, ok := r.Value("ssl.key.password"); ok {
		r.Notice("ssl.key.password", "has no effect: the key is not encrypted")
	}
	c.Certificates = []tls.Certificate{cert}
}

// pemStore returns the PEM text of a store, "" for none, and the key that it came from: prefix.location or inlineKey.
func (r *tlsResolver) pemStore(prefix, inlineKey string) (text, key string) {
	location, _ := r.Value(prefix + ".location")
	inline, _ := r.Value(inlineKey)
	kind, isSet := r.Value(prefix + ".type")
	if !isSet {
		kind = "JKS"
	}
	switch {
	case location == "" && inline == "":
		return "", ""
	case location != "" && inline != "":
		r.Problem(prefix+".location", "is set, and "+inlineKey+" too: which is meant?")
		return "", ""
	case !strings.EqualFold(kind, "PEM"):
		r.Problem(prefix+".type", notPEM(prefix, kind, location))
		return "", ""
	}
	if _, ok := r.Value(prefix + ".password"); ok {
		r.Problem(prefix+".password", "belongs to JKS and PKCS12: leave it out with PEM, as Java demands too")
	}
	if inline != "" {
		return inline, inlineKey
	}
	data, err := os.ReadFile(location)
	if err != nil {
		r.Problem(prefix+".location", "cannot be read: "+err.Error())
		return "", ""
	}
	if strings.TrimSpace(string(data)) == "" {
		r.Problem(prefix+".location", "is an empty file")
		return "", ""
	}
	return string(data), prefix + ".location"
}

// notPEM says how to get a PEM file out of the store at hand.
func notPEM(prefix, kind, location string) string {
	if location == "" {
		return "must be PEM, since the certificates are in the properties"
	}
	what := "-nokeys"
	if prefix == "ssl.keystore" {
		what = "-nodes"
	}
	p12, convert := location, ""
	if !strings.EqualFold(kind, "PKCS12") {
		p12 = "store.p12"
		convert = fmt.Sprintf("`keytool -importkeystore -srckeystore %s -destkeystore %s -deststoretype PKCS12` and then ", location, p12)
	}
	return fmt.Sprintf("must be PEM: %s cannot be read here. Convert it with %s`openssl pkcs12 -in %s %s -out store.pem`, then set %s.type=PEM and %s.location=store.pem, and leave out %s.password",
		kind, convert, p12, what, prefix, prefix, prefix)
}

// addCertificates adds every certificate of text and returns what is wrong with one, or "".
func addCertificates(pool *x509.CertPool, text string) string {
	rest, n := []byte(text), 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Sprintf("has a certificate that cannot be read, the %d. of it: %v", n+1, err)
		}
		pool.AddCert(cert)
		n++
	}
	if n == 0 {
		return "must have a certificate in PEM (-----BEGIN CERTIFICATE-----), and has none"
	}
	return ""
}
