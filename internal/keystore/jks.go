package keystore

import (
	"crypto"
	"crypto/sha1"
	"crypto/subtle"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

// The JKS format is what sun.security.provider.JavaKeyStore writes, which is its only documentation: a header, entries, and a
// digest of the password and all of that.
const (
	jksKey         = 1
	jksCertificate = 2
	jksWhitener    = "Mighty Aphrodite"
)

// cursor reads numbers and strings, most significant byte first. It allocates nothing: what it returns is part of data.
type cursor struct {
	data  []byte
	short bool // more was asked for than there is
}

func (c *cursor) take(n uint64) []byte {
	if c.short || n > uint64(len(c.data)) {
		c.short = true
		return nil
	}
	out := c.data[:n:n]
	c.data = c.data[n:]
	return out
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// text returns a string in Java's modified UTF-8. It is only shown, in quotes, and compared with nothing.
func (c *cursor) text() string {
	if b := c.take(2); b != nil {
		return string(c.take(uint64(binary.BigEndian.Uint16(b))))
	}
	return ""
}

func (c *cursor) block() []byte { return c.take(uint64(c.uint32())) }

func parseJKS(data []byte, password Password) (*contents, error) {
	out := &contents{kind: JKS}
	c := &cursor{data: data[4:]}
	version := c.uint32()
	if !c.short && version != 1 && version != 2 {
		return nil, bad("{} is a JKS store of version %d; there are 1 and 2", version)
	}
	count := c.uint32()
	for i := uint32(0); i < count && !c.short; i++ {
		if err := out.jksEntry(c, version); err != nil {
			return nil, err
		}
	}
	digest := c.take(sha1.Size)
	switch {
	case c.short:
		return nil, bad("{} is a JKS store that ends too soon: it was truncated or damaged")
	case len(c.data) > 0:
		return nil, bad("{} is a JKS store with %d bytes behind its end: it is damaged", len(c.data))
	case !password.IsSet():
		return out, nil // integrity unchecked, as in Java
	}
	h := sha1.New()
	h.Write(utf16Bytes(password.Reveal()))
	h.Write([]byte(jksWhitener))
	h.Write(data[:len(data)-sha1.Size])
	if subtle.ConstantTimeCompare(h.Sum(nil), digest) != 1 {
		return nil, badPassword(StorePassword, "is not the password of {} (JKS), or the file is damaged")
	}
	out.proven = true
	return out, nil
}

// jksEntry reads one entry. in.short says afterwards whether data was missing.
func (c *contents) jksEntry(in *cursor, version uint32) error {
	tag, alias := in.uint32(), in.text()
	in.take(8) // when it was made
	switch {
	case in.short:
	case tag == jksCertificate:
		if der, ok := c.jksCertificate(in, version); ok {
			c.certs = append(c.certs, certEntry{alias: alias, der: der, trusted: true})
		}
	case tag == jksKey:
		entry := keyEntry{alias: alias, key: jksSealed(in.block()), chain: [][]byte{}}
		n := in.uint32()
		for i := uint32(0); i < n && !in.short; i++ {
			if der, ok := c.jksCertificate(in, version); ok {
				entry.chain = append(entry.chain, der)
			}
		}
		c.keys = append(c.keys, entry)
	default:
		return bad("{} is a JKS store with an entry of kind %d, which nothing is known of: it is damaged", tag)
	}
	return nil
}

func (c *contents) jksCertificate(in *cursor, version uint32) (der []byte, ok bool) {
	kind := "X.509"
	if version == 2 {
		kind = in.text()
	}
	der = in.block()
	if kind != "X.509" && kind != "X509" && !in.short {
		c.notices = append(c.notices, "{} has a certificate that is left out, since it is not X.509")
		return nil, false
	}
	return der, !in.short
}

// jksSealed is a key as a JKS store has it: xored with a stream that is made of the password, with a digest at its end.
type jksSealed []byte

var oidJKS = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 42, 2, 17, 1, 1}

func (k jksSealed) open(password Password) (crypto.PrivateKey, error) {
	if !password.IsSet() {
		return nil, errPassword
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	if rest, err := asn1.Unmarshal(k, &info); err != nil || len(rest) > 0 || len(info.Data) < 2*sha1.Size {
		return nil, errors.New("is damaged")
	}
	if !info.Algorithm.Algorithm.Equal(oidJKS) {
		return nil, fmt.Errorf("is encrypted in a way that is not that of JKS (OID %v)", info.Algorithm.Algorithm)
	}
	secret := utf16Bytes(password.Reveal())
	last := info.Data[:sha1.Size] // the salt, then each digest
	body := info.Data[sha1.Size : len(info.Data)-sha1.Size]
	plain := make([]byte, 0, len(body))
	h := sha1.New()
	for len(body) > 0 {
		h.Reset()
		h.Write(secret)
		h.Write(last)
		last = h.Sum(nil)
		n := min(len(body), sha1.Size)
		for i := range n {
			plain = append(plain, body[i]^last[i])
		}
		body = body[n:]
	}
	h.Reset()
	h.Write(secret)
	h.Write(plain)
	if subtle.ConstantTimeCompare(h.Sum(nil), info.Data[len(info.Data)-sha1.Size:]) != 1 {
		return nil, errPassword
	}
	return parsePKCS8(plain)
}

// utf16Bytes is what Java makes of a password: UTF-16, without an end.
func utf16Bytes(s string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		out = binary.BigEndian.AppendUint16(out, unit)
	}
	return out
}

// parsePKCS8 returns a key that is not encrypted. Its error continues "the key".
func parsePKCS8(der []byte) (crypto.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	return key, nil
}
