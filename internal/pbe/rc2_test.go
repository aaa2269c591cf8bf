package pbe

import (
	"encoding/hex"
	"slices"
	"testing"
)

// The vectors of RFC 2268, section 5, in which all bits of the key are effective.
func TestRC2(t *testing.T) {
	for _, test := range []struct{ key, plain, encrypted string }{
		{"ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", "1000000000000001", "30649edf9be7d2c2"},
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"},
	} {
		key, _ := hex.DecodeString(test.key)
		block, err := newRC2(key)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := hex.DecodeString(test.encrypted)
		block.Decrypt(data, data)
		if got := hex.EncodeToString(data); got != test.plain {
			t.Errorf("key %s: %s is decrypted to %s, want %s", test.key, test.encrypted, got, test.plain)
		}
	}
}

func TestRC2TableIsAPermutation(t *testing.T) {
	sorted := slices.Sorted(slices.Values(rc2Pi[:]))
	for i, b := range sorted {
		if int(b) != i {
			t.Fatalf("%#02x is there twice or not at all", i)
		}
	}
}
