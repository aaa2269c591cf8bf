package pbe

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzDecrypt takes any parameters for those of an encryption. What is asked for is done within the budget, or refused by one
// of the errors that there are.
func FuzzDecrypt(f *testing.F) {
	files, err := filepath.Glob("../keystore/testdata/key-*.pem")
	if err != nil || len(files) == 0 {
		f.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if block, _ := pem.Decode(data); block.Type == "ENCRYPTED PRIVATE KEY" {
			f.Add(block.Bytes, "changeit")
		}
	}
	f.Fuzz(func(t *testing.T, der []byte, password string) {
		var encrypted struct {
			Algorithm pkix.AlgorithmIdentifier
			Data      []byte
		}
		if _, err := asn1.Unmarshal(der, &encrypted); err != nil {
			return
		}
		for _, form := range []Password{Text(password), NoBytes()} {
			r := &Reader{done: Budget - 10_000} // more would slow the search down
			plain, err := r.Decrypt(encrypted.Algorithm, encrypted.Data, form)
			known := errors.Is(err, ErrPassword) || errors.Is(err, ErrMalformed) || errors.Is(err, ErrBudget) || errors.As(err, new(*UnsupportedError))
			if err != nil && !known {
				t.Errorf("%T: %v", err, err)
			}
			if r.done > Budget || len(plain) > len(encrypted.Data) {
				t.Errorf("%d iterations are done, and %d bytes come of %d", r.done, len(plain), len(encrypted.Data))
			}
		}
	})
}
