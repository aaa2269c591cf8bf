package gssapi

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/epistle-kafka/epistle/sasl"
)

// A secret is what the client's keys come from: a keytab, or a password.
type secret struct {
	keytab   *keytab.Keytab
	password sasl.Secret
}

// Format hides it from package fmt, which would follow the pointer.
func (secret) Format(f fmt.State, _ rune) { io.WriteString(f, "[hidden]") }

// types returns those of the encryption types that there is a key for, nil if any.
func (s secret) types(who identity, of []int32) []int32 {
	if s.keytab == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(of), func(id int32) bool {
		_, _, err := s.keytab.GetEncryptionKey(who.name, who.realm, 0, id)
		return err != nil
	})
}

// key returns the client's key of a type, and its version. version is 0 for the newest. hints are what the KDC says of how
// a key is derived from a password.
func (s secret) key(who identity, id int32, version int, hints types.PADataSequence) (key types.EncryptionKey, found int, err error) {
	if s.keytab != nil {
		return s.keytab.GetEncryptionKey(who.name, who.realm, version, id)
	}
	err = guarded("what the KDC says of keys", func() error {
		kind, err := crypto.GetEtype(id)
		if err != nil {
			return err
		}
		salt, params := derivation(hints, id)
		if salt == "" {
			salt = who.name.GetSalt(who.realm)
		}
		if params == "" {
			params = kind.GetDefaultStringToKeyParams()
		}
		value, err := kind.StringToKey(string(s.password), salt, params)
		key = types.EncryptionKey{KeyType: id, KeyValue: value}
		return err
	})
	return key, 0, err
}

// keyTypes lists the encryption types that a KDC offers, the best first.
func keyTypes(hints types.PADataSequence) []int32 {
	var ids []int32
	for _, hint := range hints {
		var infos types.ETypeInfo2
		if hint.PADataType == patype.PA_ETYPE_INFO2 && infos.Unmarshal(hint.PADataValue) == nil {
			for _, info := range infos {
				ids = append(ids, info.EType)
			}
		}
	}
	return ids
}

// derivation returns the salt and the parameters that a KDC names for a type, "" for the usual ones (RFC 4120 §5.2.7.5).
func derivation(hints types.PADataSequence, id int32) (salt, params string) {
	for _, hint := range hints {
		var infos types.ETypeInfo2
		if hint.PADataType != patype.PA_ETYPE_INFO2 || infos.Unmarshal(hint.PADataValue) != nil {
			continue
		}
		for _, info := range infos {
			if info.EType == id {
				return info.Salt, s2kParams(info.S2KParams)
			}
		}
	}
	for _, hint := range hints {
		if hint.PADataType == patype.PA_PW_SALT {
			return string(hint.PADataValue), ""
		}
	}
	return "", ""
}

// mostIterations bounds the work that a KDC can make of a password. RFC 8009 has 32768 as the usual number.
const mostIterations = 1 << 22

func s2kParams(b []byte) string {
	if len(b) != 4 || uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3]) > mostIterations {
		return ""
	}
	return hex.EncodeToString(b)
}

// loadKeytab reads a keytab, and demands that it has a key of the principal.
func loadKeytab(path string, who identity) (*keytab.Keytab, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the keytab: %w", err)
	}
	kt := keytab.New()
	// Clipped, since gokrb5 slices as far as the capacity goes.
	if guarded("the keytab", func() error { return kt.Unmarshal(slices.Clip(content)) }) != nil {
		return nil, fmt.Errorf("read the keytab %s: it is cut short, or is none", path) // gokrb5's words have the keys in them
	}
	var others []string
	for _, entry := range kt.Entries {
		name := entry.Principal.String()
		if name == who.String() {
			return kt, nil
		}
		if !slices.Contains(others, name) && len(others) < 5 {
			others = append(others, name)
		}
	}
	return nil, fmt.Errorf("the keytab %s has no key of %s; it has keys of %q", path, who, others)
}
