package sasl

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/epistle-kafka/epistle/internal/pbe"
)

// parsePrivateKey reads the first private key of a PEM file: PKCS#8, and also PKCS#1 and SEC 1, which Java does not read. Its
// errors go on after the name of the file, and show nothing that is in it.
// path is what a command for the file calls it.
func parsePrivateKey(text []byte, passphrase Secret, path string) (crypto.Signer, error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil, errors.New("has no private key in PEM, from -----BEGIN PRIVATE KEY----- on")
		}
		text = rest
		var key any
		var err error
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
			return decryptPrivateKey(block, passphrase, path)
		case block.Type == "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case block.Type == "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case block.Type == "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default: // a certificate beside the key, or parameters of a curve
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot be read as what it says it is, %s", shown(block.Type))
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return nil, errors.New("is a key that cannot sign")
		}
		return signer, nil
	}
}

// decryptPrivateKey reads an encrypted PKCS#8 key.
func decryptPrivateKey(block *pem.Block, passphrase Secret, path string) (crypto.Signer, error) {
	const anew = "write it anew with `openssl pkcs8 -topk8%s -in %s -out new.pem`"
	if block.Headers["DEK-Info"] != "" {
		return nil, fmt.Errorf("is encrypted in OpenSSL's old way, which cannot be read here: "+anew, "", shellPath(path))
	}
	if passphrase == "" {
		return nil, errors.New("is encrypted, and there is no passphrase for it: set AssertionConfig.Passphrase (sasl.oauthbearer.assertion.private.key.passphrase)")
	}
	var encrypted struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	if rest, err := asn1.Unmarshal(block.Bytes, &encrypted); err != nil || len(rest) > 0 {
		return nil, errors.New("is encrypted, and damaged")
	}
	der, err := new(pbe.Reader).Decrypt(encrypted.Algorithm, encrypted.Data, pbe.Text(string(passphrase)))
	if unsupported, ok := errors.AsType[*pbe.UnsupportedError](err); ok {
		legacy := ""
		if unsupported.Legacy {
			legacy = " -provider legacy -provider default"
		}
		return nil, fmt.Errorf("is %w, which cannot be read here: "+anew, unsupported, legacy, shellPath(path))
	}
	var key any
	if err == nil {
		key, err = x509.ParsePKCS8PrivateKey(der)
	} else if !errors.Is(err, pbe.ErrPassword) {
		return nil, fmt.Errorf("cannot be decrypted: %w", err)
	}
	if err != nil { // what a wrong passphrase makes of it is no key
		return nil, errors.New("is encrypted with another passphrase than the one that is set, or is damaged")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("is a key that cannot sign")
	}
	return signer, nil
}

// shellPath returns a path as a shell takes it for one word.
func shellPath(path string) string {
	safe := func(r rune) bool {
		return r == '/' || r == '.' || r == '_' || r == '-' || r >= '0' && r <= '9' || r < 0x80 && letter(byte(r))
	}
	if strings.IndexFunc(path, func(r rune) bool { return !safe(r) }) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
