package keystore

import (
	"bytes"
	"encoding/asn1"
	"errors"
)

// Bouncy Castle writes PKCS12 in BER, with lengths that an end marker gives, and byte strings in several pieces. derOf makes
// DER of it, which encoding/asn1 reads. The content of byte strings stays as it is.

const (
	constructed = 0x20
	indefinite  = 0x80
	maxDepth    = 32
)

var errBER = errors.New("it is not in BER")

// derOf returns one value, in DER.
func derOf(ber []byte) ([]byte, error) {
	out, rest, err := derValue(ber, 0)
	if err != nil || len(rest) > 0 {
		return nil, errBER
	}
	return out, nil
}

// derValue converts the first value of ber, and returns what follows it.
func derValue(ber []byte, depth int) (out, rest []byte, err error) {
	if depth > maxDepth || len(ber) < 2 || ber[0]&0x1f == 0x1f { // no tag of PKCS#12 has several bytes
		return nil, nil, errBER
	}
	tag, size, body, ok := ber[0], 0, ber[2:], true
	if ber[1] != indefinite {
		if size, body, ok = berLength(ber[1:]); !ok || size > len(body) {
			return nil, nil, errBER
		}
	}
	switch {
	case tag&constructed == 0 && ber[1] == indefinite:
		return nil, nil, errBER
	case tag&constructed == 0:
		return appendDER(nil, tag, body[:size]), body[size:], nil
	case ber[1] == indefinite:
		parts, rest, err := derParts(body, true, depth)
		if err == nil {
			out, err = joined(tag, parts)
		}
		return out, rest, err
	}
	parts, _, err := derParts(body[:size], false, depth)
	if err == nil {
		out, err = joined(tag, parts)
	}
	return out, body[size:], err
}

// derParts converts the values that a constructed one is made of: all of ber, or those up to the end that is marked.
func derParts(ber []byte, marked bool, depth int) (parts [][]byte, rest []byte, err error) {
	for {
		switch {
		case marked && len(ber) >= 2 && ber[0] == 0 && ber[1] == 0:
			return parts, ber[2:], nil
		case len(ber) == 0 && !marked:
			return parts, nil, nil
		}
		var part []byte
		if part, ber, err = derValue(ber, depth+1); err != nil {
			return nil, nil, err
		}
		parts = append(parts, part)
	}
}

// joined makes one value of its parts. The pieces of a byte string become one.
func joined(tag byte, parts [][]byte) ([]byte, error) {
	if tag == asn1.TagOctetString|constructed {
		content, err := pieces(parts)
		return appendDER(nil, asn1.TagOctetString, content), err
	}
	return appendDER(nil, tag, bytes.Join(parts, nil)), nil
}

// pieces returns what byte strings have, one after the other.
func pieces(parts [][]byte) ([]byte, error) {
	var all []byte
	for _, part := range parts {
		_, content, ok := berLength(part[1:])
		if !ok || part[0] != asn1.TagOctetString {
			return nil, errBER
		}
		all = append(all, content...)
	}
	return all, nil
}

// berLength reads a definite length of at most four bytes, and returns what follows it.
func berLength(ber []byte) (size int, rest []byte, ok bool) {
	if ber[0] < 0x80 {
		return int(ber[0]), ber[1:], true
	}
	n := int(ber[0] & 0x7f)
	if n == 0 || n > 4 || len(ber) <= n {
		return 0, nil, false
	}
	for _, b := range ber[1 : 1+n] {
		size = size<<8 | int(b)
	}
	return size, ber[1+n:], size >= 0 && size <= MaxSize // an int of 32 bits may have become negative
}

func appendDER(out []byte, tag byte, body []byte) []byte {
	out = append(out, tag)
	switch n := len(body); {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 1<<8:
		out = append(out, 0x81, byte(n))
	case n < 1<<16:
		out = append(out, 0x82, byte(n>>8), byte(n))
	case n < 1<<24:
		out = append(out, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default: // more than MaxSize is not read
		out = append(out, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(out, body...)
}
