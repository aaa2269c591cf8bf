package sasl

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// algorithms are those of Java's assertions.
var algorithms = []string{"RS256", "ES256"}

// algorithmOf returns the algorithm for a key; "" if there is none.
func algorithmOf(key crypto.Signer) string {
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		return "RS256"
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			return "ES256"
		}
	}
	return ""
}

// signJWT returns the compact form of a signed JWT (RFC 7515). header names the algorithm.
func signJWT(header, payload map[string]any, key crypto.Signer) (string, error) {
	if fits := algorithmOf(key); fits == "" {
		return "", errors.New("the key has to be RSA, or EC with the curve P-256")
	} else if header["alg"] != fits {
		return "", fmt.Errorf("the key is one for %s, and the algorithm asked for is %v", fits, header["alg"])
	}
	text, err := unsignedJWT(header, payload)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte(text))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err == nil && header["alg"] == "ES256" {
		signature, err = fixedLength(signature)
	}
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func unsignedJWT(header, payload map[string]any) (string, error) {
	head, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body), nil
}

// fixedLength turns the ASN.1 of a signature with P-256 into r and s with 32 bytes each, as JWT has them (RFC 7518, section
// 3.4; Java calls it P1363).
func fixedLength(signature []byte) ([]byte, error) {
	var parts struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(signature, &parts)
	if err != nil || len(rest) > 0 || parts.R.Sign() < 0 || parts.S.Sign() < 0 || parts.R.BitLen() > 256 || parts.S.BitLen() > 256 {
		return nil, errors.New("the key has made no ECDSA signature")
	}
	fixed := make([]byte, 64)
	parts.R.FillBytes(fixed[:32])
	parts.S.FillBytes(fixed[32:])
	return fixed, nil
}
