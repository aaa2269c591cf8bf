package keystore

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"unicode/utf16"

	"github.com/epistle-kafka/epistle/internal/pbe"
)

// The structures of RFC 7292, appendix D, and those of CMS that it uses.
type (
	pfx struct {
		Version int
		Safe    contentInfo
		MAC     macData `asn1:"optional"`
	}
	macData struct {
		Digest struct {
			Algorithm pkix.AlgorithmIdentifier
			Digest    []byte
		}
		Salt       []byte
		Iterations int `asn1:"optional,default:1"`
	}
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
	}
	encryptedData struct {
		Version int
		Info    struct {
			Type      asn1.ObjectIdentifier
			Algorithm pkix.AlgorithmIdentifier
			Content   asn1.RawValue `asn1:"tag:0,optional"` // bytes, or in BER pieces of them
		}
	}
	safeBag struct {
		Type       asn1.ObjectIdentifier
		Value      asn1.RawValue `asn1:"tag:0,explicit"`
		Attributes []attribute   `asn1:"set,optional"`
	}
	attribute struct {
		Type   asn1.ObjectIdentifier
		Values asn1.RawValue `asn1:"set"`
	}
	certBag struct {
		Type asn1.ObjectIdentifier
		Data []byte `asn1:"tag:0,explicit"`
	}
	encryptedKey struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
)

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidEncryptedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}

	oidKeyBag          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
	oidEncryptedKeyBag = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidCertBag         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
	oidBagOfBags       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 6}
	oidX509            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}

	oidFriendlyName = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20}
	oidLocalKeyID   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 21}
	oidJavaTrusted  = asn1.ObjectIdentifier{2, 16, 840, 1, 113894, 746875, 1, 1}
)

// errDER says that the structure is not the expected one.
var errDER = errors.New("its structure is not that of PKCS12")

// wholeSequence reports whether der is one SEQUENCE and nothing else.
func wholeSequence(der []byte) bool {
	var raw asn1.RawValue
	return parseDER(der, &raw) == nil && raw.Class == asn1.ClassUniversal && raw.Tag == asn1.TagSequence && raw.IsCompound
}

// parseDER reads one value, also if it is in BER.
func parseDER(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err == nil && len(rest) == 0 {
		return nil
	}
	if der, err = derOf(der); err != nil {
		return errDER
	}
	if rest, err = asn1.Unmarshal(der, into); err != nil || len(rest) > 0 {
		return errDER
	}
	return nil
}

// reading is a PKCS#12 store that is being taken apart.
type reading struct {
	out      *contents
	work     pbe.Reader
	password pbe.Password
	without  bool // there is no password, so what is encrypted stays so
}

func parsePKCS12(data []byte, password Password) (*contents, error) {
	if !complete(data) {
		return nil, bad("{} seems to be a PKCS12 store, but its length is not the one that it states: it was truncated or damaged")
	}
	var file pfx
	if err := parseDER(data, &file); err != nil {
		return nil, bad("{} is in DER, and is neither a PKCS12 store nor a certificate%s", whatDER(data))
	}
	if !file.Safe.Type.Equal(oidData) {
		return nil, bad("{} is a PKCS12 store that is signed or encrypted with a key instead of a password, which cannot be read here")
	}
	var safe []byte
	if err := parseDER(file.Safe.Content.Bytes, &safe); err != nil {
		return nil, damaged(err)
	}
	r := &reading{out: &contents{kind: PKCS12}}
	if err := r.unlock(file.MAC, safe, password); err != nil {
		return nil, err
	}
	var parts []contentInfo
	if err := parseDER(safe, &parts); err != nil {
		return nil, damaged(err)
	}
	for _, part := range parts {
		if err := r.part(part); err != nil {
			return nil, err
		}
	}
	return r.out, nil
}

func damaged(err error) *Error {
	if unsupported, ok := errors.AsType[*pbe.UnsupportedError](err); ok {
		return bad("{} is a PKCS12 store that %s%s", because(err), anew(unsupported))
	}
	return bad("{} is a PKCS12 store that %s", because(err))
}

// complete reports whether data is one value and nothing else.
func complete(data []byte) bool {
	var raw asn1.RawValue
	return parseDER(data, &raw) == nil
}

// whatDER recognises files that people take for a store.
func whatDER(data []byte) string {
	var cms contentInfo
	if parseDER(data, &cms) == nil && cms.Type.Equal(oidSignedData) {
		return ": it is PKCS7 (.p7b), convert it with `openssl pkcs7 -inform DER -in {file} -print_certs -out store.pem`"
	}
	return ""
}

const (
	keyFromDER  = "openssl pkey -inform DER -in {file} -out key.pem"
	keyAlone    = "is a private key alone: make PEM of it with `" + keyFromDER + "`, and put its certificate behind it"
	certFromDER = "openssl x509 -inform DER -in {file} -out cert.pem"
)

// isKey reports whether data is a private key in DER, encrypted or not.
func isKey(data []byte) bool {
	if _, err := parsePKCS8(data); err == nil {
		return true
	}
	for _, kind := range []string{"RSA PRIVATE KEY", "EC PRIVATE KEY"} {
		if _, err := parseTraditional(kind, data); err == nil {
			return true
		}
	}
	var encrypted encryptedKey
	return parseDER(data, &encrypted) == nil
}

// NotPEM says what data is instead of PEM, and how PEM is made of it; nil for PEM.
func NotPEM(data []byte) *Error {
	switch kind := Sniff(data); {
	case kind == PEM:
		return nil
	case isKey(data):
		return bad("must be PEM, and {} is a private key in DER: make PEM of it with `%s`", keyFromDER)
	case isCertificate(data):
		return bad("must be PEM, and {} is a certificate in DER: make PEM of it with `%s`", certFromDER)
	case kind == "":
		return bad("must be PEM, and {} %s", unknown(data))
	default:
		return bad("must be PEM, and {} is a %s store, which has key and certificate in one file: give it as the key store", kind)
	}
}

// IsDER reports whether data is a certificate or a private key in DER, and no store.
func IsDER(data []byte) bool { return isKey(data) || isCertificate(data) }

func isCertificate(data []byte) bool {
	_, err := x509.ParseCertificate(data)
	return err == nil
}

// unlock finds the form of the password that fits, and checks the integrity of the store, if it has a MAC and there is a
// password.
func (r *reading) unlock(mac macData, safe []byte, password Password) error {
	r.password, r.without = pbe.Text(password.Reveal()), !password.IsSet()
	if len(mac.Digest.Algorithm.Algorithm) == 0 {
		return nil // made with -nomac; what is encrypted in it shows whether the password is right
	}
	check := pbe.MAC{Algorithm: mac.Digest.Algorithm, Digest: mac.Digest.Digest, Salt: mac.Salt, Iterations: mac.Iterations}
	err := r.work.Verify(check, safe, r.password)
	if errors.Is(err, pbe.ErrPassword) && password.Reveal() == "" {
		r.password = pbe.NoBytes()
		err = r.work.Verify(check, safe, r.password)
	}
	switch {
	case err == nil:
		r.without, r.out.proven = false, true // without a password the empty one was meant
		return nil
	case errors.Is(err, pbe.ErrPassword) && !password.IsSet():
		return nil // what is not encrypted is read, unchecked, as Java does with JKS
	case errors.Is(err, pbe.ErrPassword):
		return badPassword(StorePassword, "is not the password of {} (PKCS12), or the file is damaged")
	}
	return damaged(err)
}

// part reads one of the parts of a store, decrypting it if need be. Tools put certificates in one and keys in another.
func (r *reading) part(part contentInfo) error {
	switch {
	case part.Type.Equal(oidData):
		var bags []byte
		if err := parseDER(part.Content.Bytes, &bags); err != nil {
			return damaged(err)
		}
		return r.bags(bags, 0)
	case part.Type.Equal(oidEncryptedData):
		var data encryptedData
		if err := parseDER(part.Content.Bytes, &data); err != nil {
			return damaged(err)
		}
		if r.without {
			return badPassword(StorePassword, "must be set: the certificates in {} (PKCS12) are encrypted. Java would take such a store as empty")
		}
		encrypted, err := data.content()
		if err != nil {
			return damaged(err)
		}
		bags, err := r.work.Decrypt(data.Info.Algorithm, encrypted, r.password)
		if errors.Is(err, pbe.ErrPassword) {
			return badPassword(StorePassword, "is not the password of {} (PKCS12), or the file is damaged")
		}
		if err != nil {
			return damaged(err)
		}
		r.out.proven = true
		return r.bags(bags, 0)
	}
	return bad("{} is a PKCS12 store with a part that is encrypted with a key instead of a password, which cannot be read here")
}

// content returns what is encrypted.
func (d *encryptedData) content() ([]byte, error) {
	raw := d.Info.Content
	if !raw.IsCompound {
		return raw.Bytes, nil
	}
	parts, _, err := derParts(raw.Bytes, false, 0)
	if err != nil {
		return nil, errDER
	}
	return pieces(parts)
}

// maxNesting bounds bags inside of bags, which hardly any tool writes.
const maxNesting = 3

func (r *reading) bags(der []byte, depth int) error {
	var bags []safeBag
	if err := parseDER(der, &bags); err != nil {
		return damaged(err)
	}
	for _, bag := range bags {
		if err := r.bag(bag, depth); err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) bag(bag safeBag, depth int) error {
	alias, id := bag.alias(), bag.localKeyID()
	switch {
	case bag.Type.Equal(oidCertBag):
		var cert certBag
		if err := parseDER(bag.Value.Bytes, &cert); err != nil {
			return damaged(err)
		}
		if !cert.Type.Equal(oidX509) {
			r.out.notices = append(r.out.notices, "{} has a certificate that is left out, since it is not X.509")
			return nil
		}
		_, trusted := bag.attribute(oidJavaTrusted)
		r.out.certs = append(r.out.certs, certEntry{alias: alias, id: id, der: cert.Data, trusted: trusted})
	case bag.Type.Equal(oidKeyBag):
		key, err := parsePKCS8(bag.Value.Bytes)
		if err != nil {
			return bad("{} (PKCS12): %s %v", named("private key", alias), err)
		}
		r.out.keys = append(r.out.keys, keyEntry{alias: alias, id: id, key: plainKey{key}})
	case bag.Type.Equal(oidEncryptedKeyBag):
		var key encryptedKey
		if err := parseDER(bag.Value.Bytes, &key); err != nil {
			return damaged(err)
		}
		r.out.keys = append(r.out.keys, keyEntry{alias: alias, id: id, key: &sealedKey{work: &r.work, encrypted: key, pkcs12: true}})
	case bag.Type.Equal(oidBagOfBags):
		if depth == maxNesting {
			return damaged(errDER)
		}
		return r.bags(bag.Value.Bytes, depth+1)
	default:
		r.out.others++ // a secret key or a revocation list
	}
	return nil
}

// attribute returns the values of an attribute, and whether it is there.
func (b safeBag) attribute(kind asn1.ObjectIdentifier) (values []byte, ok bool) {
	for _, a := range b.Attributes {
		if a.Type.Equal(kind) {
			return a.Values.Bytes, true
		}
	}
	return nil, false
}

// alias returns the name of an entry, "" if it has none that can be read.
func (b safeBag) alias() string {
	values, _ := b.attribute(oidFriendlyName)
	var name asn1.RawValue
	if _, err := asn1.Unmarshal(values, &name); err != nil || name.Tag != asn1.TagBMPString {
		return ""
	}
	units := make([]uint16, len(name.Bytes)/2)
	for i := range units {
		units[i] = uint16(name.Bytes[2*i])<<8 | uint16(name.Bytes[2*i+1])
	}
	return string(utf16.Decode(units))
}

func (b safeBag) localKeyID() []byte {
	values, _ := b.attribute(oidLocalKeyID)
	var id []byte
	if _, err := asn1.Unmarshal(values, &id); err != nil {
		return nil
	}
	return id
}
