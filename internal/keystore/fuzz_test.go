package keystore

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Whatever stands in a file, it is read or refused with an *Error that shows no password, without a panic and without more
// memory than the file is worth.
func fuzzStores(f *testing.F, suffixes ...string) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		for _, suffix := range suffixes {
			if strings.HasSuffix(file.Name(), suffix) {
				data, err := os.ReadFile(filepath.Join("testdata", file.Name()))
				if err != nil {
					f.Fatal(err)
				}
				f.Add(data)
				f.Add(data[:len(data)/2])
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if expensive(data) {
			t.Skip()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, password := range []Password{none, pw("changeit")} {
			trust, err := ReadTrust(data, password)
			checkError(t, err)
			if err == nil && (len(trust.Certificates) == 0 || slices.Contains(trust.Certificates, nil)) {
				t.Error("a store that trusts nobody was taken")
			}
			keys, err := ReadKeys(data, password, none)
			checkError(t, err)
			if key, err := ReadPrivateKey(data, password); err != nil {
				checkError(t, err)
			} else if key == nil {
				t.Error("a file without a private key was taken")
			}
			if err == nil && len(keys.Keys) == 0 {
				t.Error("a store without a key was taken")
			}
			if err == nil {
				for _, key := range keys.Keys {
					checkPair(t, key.Pair)
				}
			}
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20+200*uint64(len(data)) {
			t.Errorf("%d bytes were allocated for a store of %d", used, len(data))
		}
	})
}

// checkPair demands that a key goes with its certificate: brokers would refuse it otherwise, with words that help nobody.
func checkPair(t *testing.T, pair tls.Certificate) {
	t.Helper()
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || pair.Leaf == nil || len(pair.Certificate) == 0 || !bytes.Equal(pair.Leaf.Raw, pair.Certificate[0]) {
		t.Errorf("a key without its certificate was taken: %T, %d certificates", pair.PrivateKey, len(pair.Certificate))
		return
	}
	if public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(pair.Leaf.PublicKey) {
		t.Errorf("the key of another certificate was taken for that of %v", pair.Leaf.Subject)
	}
}

// expensive reports whether data asks for so many iterations that it would only slow the search down: an INTEGER of three
// bytes, which no store of ours has. That they are bounded, package pbe tests.
func expensive(data []byte) bool {
	for at := 0; at+3 < len(data); at++ {
		if data[at] == 2 && data[at+1] >= 3 && data[at+1] <= 8 && Sniff(data) != JKS {
			return true
		}
	}
	return false
}

func checkError(t *testing.T, err error) {
	if err == nil {
		return
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is a %T", err, err)
	}
	if text := e.About("FILE"); strings.Contains(text, "changeit") || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || len(text) > 2000 {
		t.Errorf("the error shows a password, or has more than one line or too much: %q", text)
	}
}

func FuzzJKS(f *testing.F)    { fuzzStores(f, ".jks") }
func FuzzPKCS12(f *testing.F) { fuzzStores(f, ".p12", ".der", ".p7b") }
func FuzzPEM(f *testing.F)    { fuzzStores(f, ".pem") }

// A count or a length in a JKS store is a number of 32 bits. None of them makes room for what is not there.
func TestHugeCountsInJKS(t *testing.T) {
	data := stored(t, "mixed.jks")
	for at := 8; at+4 <= len(data); at++ {
		huge := bytes.Clone(data)
		copy(huge[at:], []byte{0xff, 0xff, 0xff, 0xf0})
		if used := testing.AllocsPerRun(1, func() { _, _ = ReadTrust(huge, none) }); used > 10_000 {
			t.Errorf("%v allocations with a huge number at byte %d", used, at)
		}
	}
}
