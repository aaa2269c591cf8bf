package pbe

import (
	"crypto/cipher"
	"crypto/des"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"unicode/utf16"
)

// ErrPassword says that the result is not what was encrypted: the password is wrong, or the file is damaged.
var ErrPassword = errors.New("wrong password")

// ErrMalformed says that the parameters of the encryption cannot be read.
var ErrMalformed = errors.New("the parameters of the encryption cannot be read")

// UnsupportedError names an algorithm that this package does not have.
type UnsupportedError struct {
	Algorithm string
	Legacy    bool // OpenSSL 3 has it in its legacy provider
}

func (e *UnsupportedError) Error() string { return "encrypted with " + e.Algorithm }

// ErrBudget says that a file asks for more work than Budget.
var ErrBudget = fmt.Errorf("more than %d iterations are asked for to derive its keys", Budget)

// Budget is how many iterations of a hash are done for one file, all of its keys together. What tools write lies between 1 and
// 600,000. This many take some seconds.
const Budget = 10_000_000

// maxParameter bounds salts, in bytes. Tools write 8 to 64.
const maxParameter = 1024

// Reader decrypts what is in one file. The zero Reader is ready. It is not safe for concurrent use.
type Reader struct {
	done int // iterations
}

// spend takes n iterations off the budget.
func (r *Reader) spend(n int) error {
	switch {
	case n < 1:
		return ErrMalformed
	case n > Budget-r.done:
		return ErrBudget
	}
	r.done += n
	return nil
}

// Password is a password in the forms that the schemes take.
type Password struct {
	text string
	// noBytes: for the old schemes an empty password may be no bytes at all, instead of the two that end a string. Files of
	// both kinds exist.
	noBytes bool
}

// Text returns the usual form of a password.
func Text(s string) Password { return Password{text: s} }

// NoBytes returns the other form of the empty password.
func NoBytes() Password { return Password{noBytes: true} }

// bmp returns the password in UTF-16 with a zero at its end, as PKCS#12 wants it.
func (p Password) bmp() []byte {
	if p.noBytes {
		return nil
	}
	units := utf16.Encode([]rune(p.text))
	out := make([]byte, 0, 2*len(units)+2)
	for _, u := range units {
		out = append(out, byte(u>>8), byte(u))
	}
	return append(out, 0, 0)
}

var (
	oidSHA1And3DES   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 3}
	oidSHA1And2DES   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 4}
	oidSHA1AndRC2    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 5}
	oidSHA1AndRC2_40 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 6}
	oidPBES2         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
)

// names are those of schemes that are known and not supported.
var names = map[string]string{
	"1.2.840.113549.1.5.1":      "pbeWithMD2AndDES-CBC",
	"1.2.840.113549.1.5.3":      "pbeWithMD5AndDES-CBC",
	"1.2.840.113549.1.5.4":      "pbeWithMD2AndRC2-CBC",
	"1.2.840.113549.1.5.6":      "pbeWithMD5AndRC2-CBC",
	"1.2.840.113549.1.5.10":     "pbeWithSHA1AndDES-CBC",
	"1.2.840.113549.1.12.1.1":   "pbeWithSHA1And128BitRC4",
	"1.2.840.113549.1.12.1.2":   "pbeWithSHA1And40BitRC4",
	"1.3.14.3.2.7":              "DES-CBC",
	"1.2.840.113549.3.2":        "RC2-CBC",
	"1.3.6.1.4.1.11591.4.11":    scrypt,
	"1.2.392.200011.61.1.1.1.2": camellia,
	"1.2.392.200011.61.1.1.1.3": camellia,
	"1.2.392.200011.61.1.1.1.4": camellia,
}

// These are the ones that OpenSSL 3 reads without its legacy provider.
const scrypt, camellia = "scrypt", "Camellia in CBC mode"

func unsupported(oid asn1.ObjectIdentifier) error {
	if name := names[oid.String()]; name != "" {
		return &UnsupportedError{name, name != scrypt && name != camellia}
	}
	return &UnsupportedError{Algorithm: "an algorithm that is not known here (OID " + oid.String() + ")"}
}

// Decrypt decrypts data. Its error is ErrPassword, ErrMalformed, ErrBudget or an *UnsupportedError. A wrong password is not
// always noticed: the padding of one in 256 results looks right.
func (r *Reader) Decrypt(algorithm pkix.AlgorithmIdentifier, data []byte, password Password) ([]byte, error) {
	block, iv, err := r.cipher(algorithm, password)
	if err != nil {
		return nil, err
	}
	size := block.BlockSize()
	if len(data) == 0 || len(data)%size != 0 || len(iv) != size {
		return nil, ErrMalformed
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > size {
		return nil, ErrPassword
	}
	for _, b := range plain[len(plain)-padding:] {
		if int(b) != padding {
			return nil, ErrPassword
		}
	}
	return plain[:len(plain)-padding], nil
}

// cipher derives the key and the start vector.
func (r *Reader) cipher(algorithm pkix.AlgorithmIdentifier, password Password) (cipher.Block, []byte, error) {
	oid := algorithm.Algorithm
	var keySize int
	make := des.NewTripleDESCipher
	switch {
	case oid.Equal(oidPBES2):
		return r.pbes2(algorithm, password)
	case oid.Equal(oidSHA1And3DES):
		keySize = 24
	case oid.Equal(oidSHA1And2DES):
		keySize, make = 16, func(key []byte) (cipher.Block, error) {
			return des.NewTripleDESCipher(append(key[:16:16], key[:8]...))
		}
	case oid.Equal(oidSHA1AndRC2):
		keySize, make = 16, newRC2
	case oid.Equal(oidSHA1AndRC2_40):
		keySize, make = 5, newRC2
	default:
		return nil, nil, unsupported(oid)
	}
	var params struct {
		Salt       []byte
		Iterations int
	}
	if !parse(algorithm.Parameters.FullBytes, &params) || len(params.Salt) > maxParameter {
		return nil, nil, ErrMalformed
	}
	if err := r.spend(params.Iterations); err != nil {
		return nil, nil, err
	}
	if err := r.spend(params.Iterations); err != nil { // for the start vector
		return nil, nil, err
	}
	derive := derivation{hash: sha1Hash, salt: params.Salt, password: password.bmp(), iterations: params.Iterations}
	block, err := make(derive.bytes(forKey, keySize))
	if err != nil {
		return nil, nil, ErrMalformed
	}
	return block, derive.bytes(forIV, 8), nil
}

// parse reports whether der is exactly one value of the kind that into points to.
func parse(der []byte, into any) bool {
	rest, err := asn1.Unmarshal(der, into)
	return err == nil && len(rest) == 0
}
