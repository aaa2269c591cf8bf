package pbe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"hash"
)

var (
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}

	hmacs = map[string]func() hash.Hash{
		"1.2.840.113549.2.7":  sha1.New,
		"1.2.840.113549.2.8":  sha256.New224,
		"1.2.840.113549.2.9":  sha256.New,
		"1.2.840.113549.2.10": sha512.New384,
		"1.2.840.113549.2.11": sha512.New,
		"1.2.840.113549.2.12": sha512.New512_224,
		"1.2.840.113549.2.13": sha512.New512_256,
	}

	ciphers = map[string]struct {
		keySize int
		make    func([]byte) (cipher.Block, error)
	}{
		"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
		"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
		"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
		"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
	}
)

// schemes are the parameters of PBES2, and of PBMAC1: a way to derive the key, and what to do with it.
type schemes struct {
	Derivation pkix.AlgorithmIdentifier
	Use        pkix.AlgorithmIdentifier
}

// pbkdf2Parameters are those of RFC 8018, appendix A.2.
type pbkdf2Parameters struct {
	Salt       asn1.RawValue // an OCTET STRING; the other choice was never defined
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	HMAC       pkix.AlgorithmIdentifier `asn1:"optional"` // not there: SHA-1
}

func (r *Reader) pbes2(algorithm pkix.AlgorithmIdentifier, password Password) (cipher.Block, []byte, error) {
	var params schemes
	if !parse(algorithm.Parameters.FullBytes, &params) {
		return nil, nil, ErrMalformed
	}
	use, ok := ciphers[params.Use.Algorithm.String()]
	if !ok {
		return nil, nil, unsupported(params.Use.Algorithm)
	}
	var iv []byte
	if !parse(params.Use.Parameters.FullBytes, &iv) {
		return nil, nil, ErrMalformed
	}
	key, err := r.pbkdf2(params.Derivation, password, use.keySize)
	if err != nil {
		return nil, nil, err
	}
	block, err := use.make(key)
	if err != nil {
		return nil, nil, ErrMalformed
	}
	return block, iv, nil
}

// pbkdf2 derives size bytes, or as many as the parameters say if size is 0.
func (r *Reader) pbkdf2(derivation pkix.AlgorithmIdentifier, password Password, size int) ([]byte, error) {
	if !derivation.Algorithm.Equal(oidPBKDF2) {
		return nil, unsupported(derivation.Algorithm)
	}
	var params pbkdf2Parameters
	if !parse(derivation.Parameters.FullBytes, &params) || params.Salt.Tag != asn1.TagOctetString || params.Salt.Class != asn1.ClassUniversal ||
		len(params.Salt.Bytes) > maxParameter {
		return nil, ErrMalformed
	}
	newHash := sha1.New
	if params.HMAC.Algorithm != nil {
		if newHash = hmacs[params.HMAC.Algorithm.String()]; newHash == nil {
			return nil, unsupported(params.HMAC.Algorithm)
		}
	}
	if size == 0 {
		if size = params.KeyLength; size < minMACKey || size > maxMACKey {
			return nil, ErrMalformed
		}
	}
	blocks := (size + newHash().Size() - 1) / newHash().Size()
	for range blocks { // each costs the iterations once
		if err := r.spend(params.Iterations); err != nil {
			return nil, err
		}
	}
	key, err := pbkdf2.Key(newHash, password.text, params.Salt.Bytes, params.Iterations, size)
	if err != nil {
		return nil, ErrMalformed
	}
	return key, nil
}
