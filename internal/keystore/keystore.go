package keystore

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
)

// Kind is what a file is.
type Kind string

const (
	PEM    Kind = "PEM"
	JKS    Kind = "JKS"
	PKCS12 Kind = "PKCS#12"
	DER    Kind = "DER" // a single certificate, not a store
)

// MaxSize is how many bytes a store may have. The largest one in common use, that of a JVM with all public authorities, has
// less than 300 KB.
const MaxSize = 16 << 20

// Password is a password. nil means that there is none, which is not the same as an empty one. It is a function so that no verb
// prints it, wherever it is a field.
type Password func() string

// NewPassword returns the password s.
func NewPassword(s string) Password { return func() string { return s } }

// IsSet reports whether there is one.
func (p Password) IsSet() bool { return p != nil }

// Reveal returns the password; "" if there is none.
func (p Password) Reveal() string {
	if p == nil {
		return ""
	}
	return p()
}

// Blame says what an Error is about.
type Blame uint8

const (
	Content       Blame = iota // the file
	StorePassword              // the password of the store
	KeyPassword                // the password of the key
)

// Error says what is wrong with a store, or with a password for it.
type Error struct {
	Blame Blame
	text  string // continues the name of what is to blame; {} stands for the store, and {file} for its file in a command line
}

// Error returns the text without a name for the store.
func (e *Error) Error() string { return e.About("the store") }

// About returns what is wrong, as the rest of a sentence that begins with the name of what is to blame: the store, or the
// password. name is the name of the store. Command lines in the text are for a file FILE.
func (e *Error) About(name string) string { return e.AboutFile(name, "FILE") }

// AboutFile is About with command lines for file, which must be quoted as a shell needs it.
func (e *Error) AboutFile(name, file string) string {
	return strings.NewReplacer("{}", name, "{file}", file).Replace(e.text)
}

func bad(format string, args ...any) *Error { return &Error{text: fmt.Sprintf(format, args...)} }

func badPassword(blame Blame, format string, args ...any) *Error {
	return &Error{Blame: blame, text: fmt.Sprintf(format, args...)}
}

// Trust is who is trusted.
type Trust struct {
	Kind         Kind
	Certificates []*x509.Certificate // at least one, each once, in the order of the file
	Notices      []string            // what was left out, and why; each as Error.About
}

// Key is a private key with its certificate and those that lead to an authority.
type Key struct {
	Alias string // "" if the store has no names
	Pair  tls.Certificate
}

// Keys are the private keys of a store.
type Keys struct {
	Kind      Kind
	Keys      []Key // at least one, in the order of the file
	Encrypted bool  // whether any of them has needed a password
	Notices   []string
}

// ReadTrust returns the certificates that a store says are to be trusted. As in Java these are its trusted certificates, and
// the certificate of each private key.
//
// Without a password the integrity of a store is not checked, as in Java. Its error is an *Error.
func ReadTrust(data []byte, password Password) (*Trust, error) {
	found, err := parse(data, password)
	if err != nil {
		return nil, err
	}
	return found.trust()
}

// ReadKeys returns the private keys of a store. password is that of the store, and of the keys unless keyPassword is set. Its
// error is an *Error.
func ReadKeys(data []byte, password, keyPassword Password) (*Keys, error) {
	found, err := parse(data, password)
	if err != nil {
		return nil, err
	}
	if !password.IsSet() && found.proven {
		password = NewPassword("") // which is what has opened it
	}
	return found.privateKeys(password, keyPassword)
}

// parse finds out what data is, and takes it apart.
func parse(data []byte, password Password) (*contents, error) {
	if len(data) > MaxSize {
		return nil, bad("{} has more than %d bytes: that is no key store", MaxSize)
	}
	switch kind := Sniff(data); kind {
	case JKS:
		return parseJKS(data, password)
	case PEM:
		return parsePEM(data)
	case PKCS12, DER:
		if cert, err := x509.ParseCertificate(data); err == nil {
			return &contents{kind: DER, certs: []certEntry{{der: cert.Raw, trusted: true}}}, nil
		}
		if isKey(data) {
			return nil, bad("{} %s", keyAlone)
		}
		return parsePKCS12(data, password)
	}
	if isKey(data) { // a short one, as those of elliptic curves are
		return nil, bad("{} %s", keyAlone)
	}
	return nil, bad("{} %s", unknown(data))
}

var (
	magicJKS   = []byte{0xfe, 0xed, 0xfe, 0xed}
	magicJCEKS = []byte{0xce, 0xce, 0xce, 0xce}
	magicBKS   = []byte{0, 0, 0, 2}
	beginPEM   = []byte("-----BEGIN ")
)

// Sniff tells by the first bytes what data is; "" if it is nothing that can be read here. Only reading it tells DER from
// PKCS12.
func Sniff(data []byte) Kind {
	switch {
	case bytes.HasPrefix(data, magicJKS):
		return JKS
	case len(data) > 1 && data[0] == 0x30 && data[1] >= 0x80: // a SEQUENCE of at least 128 bytes; no text has the second byte
		return PKCS12
	case bytes.Contains(data, beginPEM):
		return PEM
	}
	return ""
}

// unknown says what else data may be, as the rest of a sentence that begins with the file.
func unknown(data []byte) string {
	text := strings.TrimSpace(string(data[:min(len(data), 64)]))
	const keytool = "convert it with `keytool -importkeystore -srckeystore {file} -srcstoretype %s -destkeystore store.p12 -deststoretype PKCS12`"
	switch {
	case len(data) == 0:
		return "is an empty file"
	case text == "":
		return "has nothing but blanks in it"
	case bytes.HasPrefix(data, magicJCEKS):
		return "is a JCEKS store, which only Java reads: " + fmt.Sprintf(keytool, "JCEKS")
	case bytes.HasPrefix(data, magicBKS):
		return "seems to be a BKS store of Bouncy Castle, which cannot be read here: convert it with `keytool -importkeystore -srckeystore {file} -srcstoretype BKS " +
			"-providerclass org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath bcprov.jar -destkeystore store.p12 -deststoretype PKCS12`"
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return "is text in UTF-16: make it UTF-8 with `iconv -f UTF-16 -t UTF-8 {file} >utf8.pem`"
	case strings.HasPrefix(text, "MII"), strings.HasPrefix(text, "/u3+7Q"):
		return "is in Base64: decode it with `base64 -d {file} >decoded`, or put the lines of PEM around it"
	case strings.HasPrefix(text, "<"):
		return "is HTML or XML, no key store: was the right thing downloaded?"
	}
	first := data[:min(len(data), 4)]
	if !bytes.ContainsFunc(first, func(r rune) bool { return r < '\t' }) {
		return "is neither JKS nor PKCS12 nor PEM, but seems to be text" // which may be a password, so it is not shown
	}
	return fmt.Sprintf("is neither JKS nor PKCS12 nor PEM; it begins with the bytes % x", first)
}
