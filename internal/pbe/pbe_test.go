package pbe

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"hash"
	"math"
	"strings"
	"testing"
)

func der(t testing.TB, value any) asn1.RawValue {
	t.Helper()
	full, err := asn1.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return asn1.RawValue{FullBytes: full}
}

type pbkdf2Given struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	HMAC       pkix.AlgorithmIdentifier `asn1:"optional"`
}

var hmacSHA256 = pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}}

// encrypted is text under PBES2, with AES-256, made here out of the standard library.
func encrypted(t testing.TB, text, password string, iterations int) (pkix.AlgorithmIdentifier, []byte) {
	t.Helper()
	salt, iv := []byte("saltsalt"), bytes.Repeat([]byte{7}, aes.BlockSize)
	key, err := pbkdf2.Key(sha256.New, password, salt, iterations, 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	padding := aes.BlockSize - len(text)%aes.BlockSize
	data := append([]byte(text), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
	return pbes2Parameters(t, salt, iv, iterations), data
}

func pbes2Parameters(t testing.TB, salt, iv []byte, iterations int) pkix.AlgorithmIdentifier {
	return pkix.AlgorithmIdentifier{Algorithm: oidPBES2, Parameters: der(t, schemes{
		Derivation: pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2, Parameters: der(t, pbkdf2Given{Salt: salt, Iterations: iterations, HMAC: hmacSHA256})},
		Use:        pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, Parameters: der(t, iv)},
	})}
}

func TestPBES2(t *testing.T) {
	algorithm, data := encrypted(t, "the private key", "secret", 1000)
	var r Reader
	got, err := r.Decrypt(algorithm, data, Text("secret"))
	if err != nil || string(got) != "the private key" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := r.Decrypt(algorithm, data, Text("wrong")); !errors.Is(err, ErrPassword) {
		t.Errorf("wrong password: got %v", err)
	}
	if _, err := r.Decrypt(algorithm, data[:len(data)-1], Text("secret")); !errors.Is(err, ErrMalformed) {
		t.Errorf("no whole blocks: got %v", err)
	}
}

// A file may ask for any number of iterations. What is done for all of its keys together is bounded.
func TestWorkIsBounded(t *testing.T) {
	for _, iterations := range []int{-1, 0, Budget + 1, math.MaxInt} {
		var r Reader
		want := ErrBudget
		if iterations < 1 {
			want = ErrMalformed
		}
		algorithm := pbes2Parameters(t, []byte("salt"), make([]byte, 16), iterations)
		if _, err := r.Decrypt(algorithm, make([]byte, 16), Text("")); !errors.Is(err, want) {
			t.Errorf("PBES2, %d iterations: got %v, want %v", iterations, err, want)
		}
		old := pkix.AlgorithmIdentifier{Algorithm: oidSHA1And3DES, Parameters: der(t, struct {
			Salt       []byte
			Iterations int
		}{[]byte("salt"), iterations})}
		if _, err := r.Decrypt(old, make([]byte, 16), Text("")); !errors.Is(err, want) {
			t.Errorf("PBES1, %d iterations: got %v, want %v", iterations, err, want)
		}
		mac := MAC{Algorithm: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}}, Iterations: iterations}
		if err := r.Verify(mac, nil, Text("")); !errors.Is(err, want) {
			t.Errorf("MAC, %d iterations: got %v, want %v", iterations, err, want)
		}
	}
	r := Reader{done: Budget - 10}
	algorithm, data := encrypted(t, "x", "", 10)
	if _, err := r.Decrypt(algorithm, data, Text("")); err != nil {
		t.Errorf("within the budget: %v", err)
	}
	algorithm, data = encrypted(t, "x", "", 1)
	if _, err := r.Decrypt(algorithm, data, Text("")); !errors.Is(err, ErrBudget) {
		t.Errorf("the budget is spent: got %v", err)
	}
	algorithm = pbes2Parameters(t, make([]byte, maxParameter+1), make([]byte, 16), 1)
	if _, err := new(Reader).Decrypt(algorithm, data, Text("")); !errors.Is(err, ErrMalformed) {
		t.Errorf("a huge salt: got %v", err)
	}
}

func TestUnknownAlgorithmIsNamed(t *testing.T) {
	for oid, want := range map[string]asn1.ObjectIdentifier{"pbeWithMD5AndDES-CBC": {1, 2, 840, 113549, 1, 5, 3}, "OID 1.2.3": {1, 2, 3}} {
		_, err := new(Reader).Decrypt(pkix.AlgorithmIdentifier{Algorithm: want}, make([]byte, 16), Text(""))
		if unsupported := new(UnsupportedError); !errors.As(err, &unsupported) || !strings.Contains(err.Error(), oid) {
			t.Errorf("got %v, want %q", err, oid)
		}
	}
}

// PBMAC1 (RFC 9579) is what newer tools write. Too short a key would let anybody make a MAC that fits.
func TestPBMAC1(t *testing.T) {
	content := []byte("the authenticated safe")
	mac := func(length int, hmacOID asn1.ObjectIdentifier, newHash func() hash.Hash) MAC {
		key, err := pbkdf2.Key(sha256.New, "pässword", []byte("salt"), 100, max(length, 1))
		if err != nil {
			t.Fatal(err)
		}
		h := hmac.New(newHash, key)
		h.Write(content)
		params := schemes{
			Derivation: pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2, Parameters: der(t, pbkdf2Given{[]byte("salt"), 100, length, hmacSHA256})},
			Use:        pkix.AlgorithmIdentifier{Algorithm: hmacOID},
		}
		return MAC{Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidPBMAC1, Parameters: der(t, params)}, Digest: h.Sum(nil)}
	}
	sha512OID := asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 11}
	for length, want := range map[int]error{32: nil, 64: nil, 20: nil, 19: ErrMalformed, 1: ErrMalformed, 0: ErrMalformed, 65: ErrMalformed} {
		var r Reader
		if err := r.Verify(mac(length, sha512OID, sha512.New), content, Text("pässword")); !errors.Is(err, want) {
			t.Errorf("a key of %d bytes: got %v, want %v", length, err, want)
		}
	}
	var r Reader
	if err := r.Verify(mac(32, hmacSHA256.Algorithm, sha256.New), content, Text("pässword")); err != nil {
		t.Error(err)
	}
	if err := r.Verify(mac(32, hmacSHA256.Algorithm, sha256.New), content, Text("password")); !errors.Is(err, ErrPassword) {
		t.Errorf("wrong password: got %v", err)
	}
}

// The derivation of PKCS#12 needs several rounds of its hash for a key of 24 bytes, which is where carries matter. The vectors
// are those of the test suites of Bouncy Castle and of OpenSSL.
func TestDerivationOfPKCS12(t *testing.T) {
	for _, test := range []struct {
		password, salt string
		purpose        byte
		iterations     int
		want           string
	}{
		{"smeg", "0a58cf64530d823f", forKey, 1, "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"},
		{"smeg", "0a58cf64530d823f", forIV, 1, "79993dfe048d3b76"},
		{"smeg", "642b99ab44fb4b1f", forKey, 1, "f3a95fec48d7711e985cfe67908c5ab79fa3d7c5caa5d966"},
		{"smeg", "642b99ab44fb4b1f", forIV, 1, "c0a38d64a79bea1d"},
		{"smeg", "3d83c0e4546ac140", forMAC, 1, "8d967d88f6caa9d714800ab3d48051d63f73a312"},
		{"queeg", "05dec959acff72f7", forKey, 1000, "ed2034e36328830ff09df1e1a07dd357185dac0d4f9eb3d4"},
		{"queeg", "05dec959acff72f7", forIV, 1000, "11dedad7758d4860"},
	} {
		salt, _ := hex.DecodeString(test.salt)
		d := derivation{hash: sha1Hash, salt: salt, password: Text(test.password).bmp(), iterations: test.iterations}
		if got := hex.EncodeToString(d.bytes(test.purpose, len(test.want)/2)); got != test.want {
			t.Errorf("%s, purpose %d: got %s, want %s", test.password, test.purpose, got, test.want)
		}
	}
}
