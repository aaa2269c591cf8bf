package sasl

import (
	"crypto"
	"errors"

	"github.com/epistle-kafka/epistle/internal/keystore"
	"github.com/epistle-kafka/epistle/internal/shown"
)

// readPrivateKey returns the first private key of a PEM file: PKCS#8, encrypted or not, and also PKCS#1 and SEC 1, which Java
// does not read. Its error shows nothing of the file's content.
func readPrivateKey(f file, passphrase Secret) (crypto.Signer, error) {
	text, err := f.read()
	if err != nil {
		return nil, err
	}
	var password keystore.Password
	if passphrase != "" {
		password = keystore.NewPassword(string(passphrase))
	}
	key, err := keystore.ReadPrivateKey(text, password)
	if wrong, ok := errors.AsType[*keystore.Error](err); ok {
		subject := "the " + f.what
		if wrong.Blame == keystore.KeyPassword {
			subject = "the passphrase"
		}
		err = errors.New(subject + " " + wrong.About(shown.Name(f.path)))
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}
