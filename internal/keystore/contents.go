package keystore

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/epistle-kafka/epistle/internal/pbe"
	"github.com/epistle-kafka/epistle/internal/shown"
)

// contents is what is in a store of any kind. What has a password of its own is not decrypted yet.
type contents struct {
	kind    Kind
	keys    []keyEntry
	certs   []certEntry
	others  int  // entries that are neither, such as secret keys
	proven  bool // the password of the store has proved right
	notices []string
}

type keyEntry struct {
	alias string
	id    []byte // joins it with its certificate in PKCS#12; nil if there is none
	key   sealed
	// chain has the certificates in DER, its own first. nil: they are among the store's, and are known by their keys.
	chain [][]byte
}

type certEntry struct {
	alias   string
	nth     int    // of a store without names, from 1; else 0
	id      []byte // as in keyEntry
	der     []byte
	trusted bool
}

// sealed is a private key that may need a password. Its error is errPassword, or one whose text continues "the key".
type sealed interface {
	open(password Password) (crypto.PrivateKey, error)
}

// errPassword says that a key needs another password, or needs one.
var errPassword = errors.New("another password")

// plainKey is a key without a password.
type plainKey struct{ key crypto.PrivateKey }

func (k plainKey) open(Password) (crypto.PrivateKey, error) { return k.key, nil }

// named is how a message names an entry.
func named(what, alias string) string {
	if alias == "" {
		return "the " + what
	}
	return "the " + what + " " + shown.Quoted(alias)
}

// name is how a message names a certificate.
func (e certEntry) name() string {
	if e.nth > 0 {
		return fmt.Sprintf("certificate number %d", e.nth)
	}
	return named("certificate", e.alias)
}

// certificate parses a certificate. Data that is no certificate is an error. A certificate that Go refuses or does not know is
// left out, with a notice: the others in the store are of use.
func (c *contents) certificate(entry certEntry) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(entry.der)
	if err == nil {
		return cert, nil
	}
	if !wholeSequence(entry.der) {
		return nil, bad("%s in {} (%s) is damaged: %v", entry.name(), c.kind, err)
	}
	c.notices = append(c.notices, fmt.Sprintf("%s in {} is left out, since Go does not take it: %v", entry.name(), err))
	return nil, nil
}

// trust returns whom the store trusts.
func (c *contents) trust() (*Trust, error) {
	entries := c.trusted()
	out := &Trust{Kind: c.kind}
	known := map[string]bool{}
	for _, entry := range entries {
		if known[string(entry.der)] {
			continue
		}
		known[string(entry.der)] = true
		cert, err := c.certificate(entry)
		if err != nil {
			return nil, err
		}
		if cert != nil {
			out.Certificates = append(out.Certificates, cert)
		}
	}
	out.Notices = c.notices
	if len(out.Certificates) > 0 {
		if unmarked := c.unmarked(known); unmarked > 0 {
			left := fmt.Sprintf("%d certificates that are left out, since they are not marked as trusted: add these", unmarked)
			if unmarked == 1 {
				left = "1 certificate that is left out, since it is not marked as trusted: add it"
			}
			out.Notices = append(out.Notices, "{} has "+left+" with `keytool -importcert`")
		}
		return out, nil
	}
	switch {
	case len(entries) > 0:
		return nil, bad("{} (%s) has no certificate that Go takes: %s", c.kind, c.notices[0])
	case c.kind == PEM:
		return nil, bad("{} has no certificate (-----BEGIN CERTIFICATE-----): nobody would be trusted")
	default:
		return nil, bad("{} (%s) has no certificate in it: nobody would be trusted", c.kind)
	}
}

// unmarked counts the certificates that are not among the known ones.
func (c *contents) unmarked(known map[string]bool) int {
	others := map[string]bool{}
	for _, entry := range c.certs {
		if !known[string(entry.der)] {
			others[string(entry.der)] = true
		}
	}
	return len(others)
}

// trusted returns the entries that are to be trusted.
func (c *contents) trusted() []certEntry {
	var entries []certEntry
	for _, entry := range c.certs {
		if entry.trusted {
			entries = append(entries, entry)
		}
	}
	if len(entries) == 0 && len(c.keys) == 0 && len(c.certs) > 0 {
		// `openssl pkcs12 -export -nokeys` makes such a file. If a trust store has nothing but certificates, they can only be
		// meant to be trusted.
		c.notices = append(c.notices, "{} has no certificate that is marked as trusted, so all of them are trusted; Java takes such a store as empty")
		return c.certs
	}
	for _, key := range c.keys {
		if len(key.chain) > 0 {
			entries = append(entries, certEntry{alias: key.alias, der: key.chain[0], trusted: true})
		}
		for _, entry := range c.certs {
			if key.id != nil && bytes.Equal(entry.id, key.id) {
				entries = append(entries, entry)
			}
		}
	}
	return entries
}

// privateKeys opens the keys and finds the certificate of each.
func (c *contents) privateKeys(password, keyPassword Password) (*Keys, error) {
	if len(c.keys) == 0 {
		return nil, bad("%s", c.withoutKey())
	}
	var pool []*x509.Certificate // that chains are made of
	for _, entry := range c.certs {
		cert, err := c.certificate(entry)
		if err != nil {
			return nil, err
		}
		if cert != nil {
			pool = append(pool, cert)
		}
	}
	out := &Keys{Kind: c.kind}
	for _, entry := range c.keys {
		if _, plain := entry.key.(plainKey); !plain {
			out.Encrypted = true
		}
		key, err := c.open(entry, password, keyPassword)
		if err != nil {
			return nil, err
		}
		pair, err := c.pair(entry, key, pool)
		if err != nil {
			return nil, err
		}
		out.Keys = append(out.Keys, Key{Alias: entry.alias, Pair: pair})
	}
	out.Notices = c.notices
	return out, nil
}

func certificates(n int) string {
	if n == 1 {
		return "1 certificate"
	}
	return fmt.Sprintf("%d certificates", n)
}

// withoutKey says what a store without a key has.
func (c *contents) withoutKey() string {
	switch {
	case len(c.certs) > 0:
		return fmt.Sprintf("{} (%s) has %s and no private key: is it the trust store?", c.kind, certificates(len(c.certs)))
	case c.others > 0:
		return fmt.Sprintf("{} (%s) has no private key, only entries of other kinds", c.kind)
	default:
		return fmt.Sprintf("{} (%s) has no private key", c.kind)
	}
}

// open decrypts one key, and says which password is wrong.
func (c *contents) open(entry keyEntry, password, keyPassword Password) (crypto.PrivateKey, error) {
	use := keyPassword
	if !use.IsSet() {
		use = password
	}
	key, err := entry.key.open(use)
	name := named("private key", entry.alias)
	switch {
	case err == nil:
		return key, nil
	case !errors.Is(err, errPassword):
		return nil, bad("{} (%s): %s %v", c.kind, name, err)
	case !keyPassword.IsSet() && c.kind == PEM:
		return nil, badPassword(KeyPassword, "must be set: %s in {} is encrypted", name)
	case !keyPassword.IsSet() && !password.IsSet():
		return nil, badPassword(StorePassword, "must be set: %s in {} is encrypted", name)
	case !keyPassword.IsSet() && !c.proven:
		return nil, badPassword(StorePassword, "is not the password of %s in {}", name)
	case !keyPassword.IsSet():
		return nil, badPassword(KeyPassword, "must be set: %s in {} has a password of its own, which is not the store's", name)
	case password.IsSet():
		if _, err := entry.key.open(password); err == nil {
			return nil, badPassword(KeyPassword, "is not the password of %s in {}, but the store's password is: leave this one out", name)
		}
	}
	return nil, badPassword(KeyPassword, "is not the password of %s in {}", name)
}

// pair joins a key with its certificates.
func (c *contents) pair(entry keyEntry, key crypto.PrivateKey, pool []*x509.Certificate) (tls.Certificate, error) {
	name := named("private key", entry.alias)
	signer, ok := key.(crypto.Signer)
	if !ok {
		return tls.Certificate{}, bad("{} (%s): %s is of a kind that cannot sign (%T)", c.kind, name, key)
	}
	chain, err := c.chain(entry, signer, pool)
	if err != nil {
		return tls.Certificate{}, err
	}
	if len(chain) == 0 {
		if len(pool) == 0 && entry.chain == nil {
			return tls.Certificate{}, bad("{} (%s) has a private key, and no certificate for it", c.kind)
		}
		return tls.Certificate{}, bad("{} (%s): %s does not match any certificate in it", c.kind, name)
	}
	pair := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, cert := range chain {
		pair.Certificate = append(pair.Certificate, cert.Raw)
	}
	return pair, nil
}

// chain returns the certificate of a key and those above it; nothing if there is no certificate for the key.
func (c *contents) chain(entry keyEntry, key crypto.Signer, pool []*x509.Certificate) ([]*x509.Certificate, error) {
	if entry.chain == nil {
		for _, cert := range pool {
			if samePublicKey(cert, key) {
				return climb(cert, pool), nil
			}
		}
		return nil, nil
	}
	var chain []*x509.Certificate
	for i, der := range entry.chain {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, bad("{} (%s) has a certificate for %s that cannot be read, number %d of its chain: %v", c.kind, named("private key", entry.alias), i+1, err)
		}
		chain = append(chain, cert)
	}
	if len(chain) > 0 && !samePublicKey(chain[0], key) {
		return nil, bad("{} (%s): %s does not match its certificate, which is for %s", c.kind, named("private key", entry.alias), shown.Quoted(chain[0].Subject.String()))
	}
	return chain, nil
}

func samePublicKey(cert *x509.Certificate, key crypto.Signer) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(cert.PublicKey)
}

// maxChain bounds a chain. Real ones have two to four certificates.
const maxChain = 10

// climb follows the issuers of leaf through pool, up to one that has issued itself.
func climb(leaf *x509.Certificate, pool []*x509.Certificate) []*x509.Certificate {
	chain := []*x509.Certificate{leaf}
	for len(chain) < maxChain {
		last := chain[len(chain)-1]
		if bytes.Equal(last.RawIssuer, last.RawSubject) {
			break
		}
		next := issuerOf(last, pool)
		if next == nil {
			break
		}
		chain = append(chain, next)
	}
	return chain
}

// issuerOf prefers the certificate whose key is named: an authority with a new key keeps its name.
func issuerOf(cert *x509.Certificate, pool []*x509.Certificate) *x509.Certificate {
	var found *x509.Certificate
	for _, candidate := range pool {
		if !bytes.Equal(candidate.RawSubject, cert.RawIssuer) {
			continue
		}
		if len(cert.AuthorityKeyId) > 0 && bytes.Equal(cert.AuthorityKeyId, candidate.SubjectKeyId) {
			return candidate
		}
		if found == nil {
			found = candidate
		}
	}
	return found
}

// because says why something cannot be decrypted, as the rest of a sentence.
func because(err error) string {
	var unsupported *pbe.UnsupportedError
	switch {
	case errors.As(err, &unsupported):
		return "is " + unsupported.Error() + ", which cannot be read here"
	case errors.Is(err, pbe.ErrBudget):
		return "asks for too much work: " + err.Error()
	default:
		return "is damaged: " + err.Error()
	}
}
