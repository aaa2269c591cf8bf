package keystore

import (
	"bytes"
	"encoding/asn1"
	"testing"
)

// berOf writes DER as Bouncy Castle does: no lengths of what is constructed, and byte strings in pieces.
func berOf(t *testing.T, der []byte) []byte {
	t.Helper()
	var out []byte
	for len(der) > 0 {
		var raw asn1.RawValue
		rest, err := asn1.Unmarshal(der, &raw)
		if err != nil {
			t.Fatal(err)
		}
		der = rest
		tag := byte(raw.Class<<6 | raw.Tag)
		inPieces := raw.Class == asn1.ClassUniversal && raw.Tag == asn1.TagOctetString || raw.Class == asn1.ClassContextSpecific
		switch {
		case raw.IsCompound:
			out = append(out, tag|constructed, indefinite)
			out = append(append(out, berOf(t, raw.Bytes)...), 0, 0)
		case inPieces && len(raw.Bytes) > 20:
			out = append(out, tag|constructed, indefinite)
			for body := raw.Bytes; len(body) > 0; {
				n := min(len(body), 1000)
				out = appendDER(out, asn1.TagOctetString, body[:n])
				body = body[n:]
			}
			out = append(out, 0, 0)
		default:
			out = append(out, raw.FullBytes...)
		}
	}
	return out
}

// Stores in BER are read: outside, with the MAC, and inside too, without one.
func TestStoresInBER(t *testing.T) {
	for _, name := range []string{"openssl.p12", "keytool.p12", "openssl-legacy.p12", "openssl-plain.p12"} {
		der := stored(t, name)
		for where, data := range map[string][]byte{"outside": berOf(t, der), "inside": insideOut(t, der)} {
			keys, err := ReadKeys(data, pw("changeit"), none)
			if err != nil || keys.names()[0] != epistle {
				t.Errorf("%s, %s: %v", name, where, err)
			}
			if _, err := ReadKeys(data[:len(data)-1], pw("changeit"), none); err == nil {
				t.Errorf("%s, %s: taken though it was cut", name, where)
			}
		}
	}
}

// insideOut puts BER into the authenticated safe too, and leaves out the MAC, which is for what was there.
func insideOut(t *testing.T, der []byte) []byte {
	t.Helper()
	var file pfx
	var safe []byte
	if parseDER(der, &file) != nil || parseDER(file.Safe.Content.Bytes, &safe) != nil {
		t.Fatal("no PKCS12")
	}
	kind, err := asn1.Marshal(oidData)
	if err != nil {
		t.Fatal(err)
	}
	content := appendDER(nil, 0xa0, appendDER(nil, asn1.TagOctetString, berOf(t, safe)))
	info := appendDER(nil, 0x30, append(kind, content...))
	return berOf(t, appendDER(nil, 0x30, append([]byte{2, 1, 3}, info...)))
}

func TestBERThatIsNone(t *testing.T) {
	deep := bytes.Repeat([]byte{0x30, indefinite}, 10_000)
	for _, data := range [][]byte{
		nil, {0x30}, {0x30, 0x80}, {0x04, 0x80, 0, 0}, {0x24, 0x80, 0x02, 1, 1, 0, 0}, {0x30, 0x85, 1, 1, 1, 1, 1},
		{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, {0x30, 0x82, 1}, {0x3f, 0x80, 0, 0}, {0x30, 0x80, 0, 0, 1}, deep,
	} {
		if out, err := derOf(data); err == nil {
			t.Errorf("% x was taken as % x", data[:min(len(data), 10)], out)
		}
	}
}
