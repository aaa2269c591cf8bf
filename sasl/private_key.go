package sasl

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// parsePrivateKey reads the first private key of a PEM file: PKCS#8, and also PKCS#1 and SEC 1, which Java does not read. Its
// errors go on after the name of the file, and show nothing that is in it.
func parsePrivateKey(text []byte, passphrase Secret) (crypto.Signer, error) {
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
			return decryptPrivateKey(block, passphrase)
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

// decryptPrivateKey is where encrypted keys will be read.
func decryptPrivateKey(block *pem.Block, passphrase Secret) (crypto.Signer, error) {
	return nil, errors.New("is encrypted, which cannot be read here: decrypt it with `openssl pkcs8 -in key.pem -out plain.pem`, or set AssertionConfig.Key")
}
