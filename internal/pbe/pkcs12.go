package pbe

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"hash"
)

// What a derived key is for, as RFC 7292, appendix B.3 numbers it.
const (
	forKey byte = 1
	forIV  byte = 2
	forMAC byte = 3
)

// A key of PBMAC1 has at least the length that RFC 9579 demands, and not more than the longest digest.
const (
	minMACKey = 20
	maxMACKey = sha512.Size
)

// digest is a hash and the size of the blocks that it works on, both in bytes.
type digest struct {
	new   func() hash.Hash
	size  int
	block int
}

var sha1Hash = digest{sha1.New, sha1.Size, sha1.BlockSize}

var digests = map[string]digest{
	"1.3.14.3.2.26":          sha1Hash,
	"2.16.840.1.101.3.4.2.4": {sha256.New224, sha256.Size224, sha256.BlockSize},
	"2.16.840.1.101.3.4.2.1": {sha256.New, sha256.Size, sha256.BlockSize},
	"2.16.840.1.101.3.4.2.2": {sha512.New384, sha512.Size384, sha512.BlockSize},
	"2.16.840.1.101.3.4.2.3": {sha512.New, sha512.Size, sha512.BlockSize},
}

// derivation is the way of RFC 7292, appendix B.2 to make a key of a password.
type derivation struct {
	hash       digest
	salt       []byte
	password   []byte
	iterations int
}

// bytes derives n bytes for one purpose.
func (d derivation) bytes(purpose byte, n int) []byte {
	block := d.hash.block
	start := bytes.Repeat([]byte{purpose}, block)
	state := append(filled(d.salt, block), filled(d.password, block)...)
	var out []byte
	for {
		h := d.hash.new()
		h.Write(start)
		h.Write(state)
		sum := h.Sum(nil)
		for i := 1; i < d.iterations; i++ {
			h.Reset()
			h.Write(sum)
			sum = h.Sum(sum[:0])
		}
		if out = append(out, sum...); len(out) >= n {
			return out[:n]
		}
		addend := filled(sum, block)[:block]
		for at := 0; at < len(state); at += block {
			add(state[at:at+block], addend)
		}
	}
}

// filled repeats pattern until it fills a whole number of blocks. An empty pattern stays empty.
func filled(pattern []byte, block int) []byte {
	if len(pattern) == 0 {
		return nil
	}
	size := (len(pattern) + block - 1) / block * block
	return bytes.Repeat(pattern, size/len(pattern)+1)[:size]
}

// add sets sum to sum + n + 1, and drops what overflows. Both have the same length, most significant byte first.
func add(sum, n []byte) {
	carry := 1
	for i := len(sum) - 1; i >= 0; i-- {
		carry += int(sum[i]) + int(n[i])
		sum[i] = byte(carry)
		carry >>= 8
	}
}

var oidPBMAC1 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 14}

// MAC is what a PKCS#12 file says about its integrity.
type MAC struct {
	Algorithm  pkix.AlgorithmIdentifier
	Digest     []byte
	Salt       []byte
	Iterations int
}

// Verify returns nil if the MAC was made of content with this password, and ErrPassword if it was not: nobody can tell a wrong
// password from a damaged file. Other errors are those of Decrypt.
func (r *Reader) Verify(mac MAC, content []byte, password Password) error {
	var (
		key     []byte
		newHash func() hash.Hash
	)
	if mac.Algorithm.Algorithm.Equal(oidPBMAC1) {
		var params schemes
		if !parse(mac.Algorithm.Parameters.FullBytes, &params) {
			return ErrMalformed
		}
		if newHash = hmacs[params.Use.Algorithm.String()]; newHash == nil {
			return unsupported(params.Use.Algorithm)
		}
		var err error
		if key, err = r.pbkdf2(params.Derivation, password, 0); err != nil {
			return err
		}
	} else {
		d, ok := digests[mac.Algorithm.Algorithm.String()]
		if !ok {
			return unsupported(mac.Algorithm.Algorithm)
		}
		if len(mac.Salt) > maxParameter {
			return ErrMalformed
		}
		if err := r.spend(mac.Iterations); err != nil {
			return err
		}
		newHash = d.new
		key = derivation{hash: d, salt: mac.Salt, password: password.bmp(), iterations: mac.Iterations}.bytes(forMAC, d.size)
	}
	h := hmac.New(newHash, key)
	h.Write(content)
	if !hmac.Equal(h.Sum(nil), mac.Digest) {
		return ErrPassword
	}
	return nil
}
