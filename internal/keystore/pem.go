package keystore

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/epistle-kafka/epistle/internal/pbe"
	"github.com/epistle-kafka/epistle/internal/shown"
)

// sealedKey is a private key in encrypted PKCS#8.
type sealedKey struct {
	work      *pbe.Reader // of its file
	encrypted encryptedKey
	pkcs12    bool // the key is in a PKCS#12 store, where the empty password has two forms
}

func (k *sealedKey) open(password Password) (crypto.PrivateKey, error) {
	if !password.IsSet() {
		return nil, errPassword
	}
	forms := []pbe.Password{pbe.Text(password.Reveal())}
	if k.pkcs12 && password.Reveal() == "" {
		forms = append(forms, pbe.NoBytes())
	}
	for _, form := range forms {
		der, err := k.work.Decrypt(k.encrypted.Algorithm, k.encrypted.Data, form)
		if errors.Is(err, pbe.ErrPassword) || err == nil && !wholeSequence(der) {
			continue // the padding of a wrong password looks right once in 256 times
		}
		if err != nil {
			return nil, errors.New(k.refusal(err))
		}
		return parsePKCS8(der)
	}
	return nil, errPassword
}

// refusal says why a key cannot be decrypted, and what to do about it.
func (k *sealedKey) refusal(err error) string {
	text := because(err)
	unsupported, ok := errors.AsType[*pbe.UnsupportedError](err)
	switch {
	case !ok:
		return text
	case k.pkcs12:
		return text + anew(unsupported)
	case unsupported.Legacy:
		return text + ": write it anew with `openssl pkcs8 -topk8 -provider legacy -provider default -in {file} -out key.pem`"
	}
	return text + ": write it anew with `openssl pkcs8 -topk8 -in {file} -out key.pem`"
}

// anew says why a PKCS12 store cannot be read, and how to make one of it that can. OpenSSL writes keys and certificates alike.
func anew(unsupported *pbe.UnsupportedError) string {
	legacy := ""
	if unsupported.Legacy {
		legacy = "-legacy "
	}
	return ": make PEM of the store with `openssl pkcs12 " + legacy + "-in {file} -out store.pem`, which asks for the password that the key shall have in it"
}

// legacyKey is a private key in OpenSSL's old format. The lines at its head say how it is encrypted.
type legacyKey struct{ block *pem.Block }

func (k legacyKey) open(password Password) (crypto.PrivateKey, error) {
	if !password.IsSet() {
		return nil, errPassword
	}
	//lint:ignore SA1019 it is no protection against who can change the file, and files of this kind exist all the same
	der, err := x509.DecryptPEMBlock(k.block, []byte(password.Reveal()))
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, errPassword
	case err != nil:
		return nil, fmt.Errorf("cannot be decrypted (%s): write it anew with `openssl pkcs8 -topk8 -in {file} -out key.pem`", strings.TrimPrefix(err.Error(), "x509: "))
	}
	key, err := parseTraditional(k.block.Type, der)
	if err != nil {
		return nil, errPassword // as with sealedKey: what came out is no key
	}
	return key, nil
}

func parseTraditional(kind string, der []byte) (crypto.PrivateKey, error) {
	if kind == "EC PRIVATE KEY" {
		return x509.ParseECPrivateKey(der)
	}
	return x509.ParsePKCS1PrivateKey(der)
}

// ReadPrivateKey returns the first private key of a PEM file. Certificates beside it are passed over. Its error is an *Error.
func ReadPrivateKey(data []byte, password Password) (crypto.Signer, error) {
	if Sniff(data) != PEM {
		return nil, bad("{} has no private key in PEM, from -----BEGIN PRIVATE KEY----- on")
	}
	found, err := parsePEM(data)
	if err != nil {
		return nil, err
	}
	if len(found.keys) == 0 {
		return nil, bad("{} (PEM) has no private key in it")
	}
	key, err := found.open(found.keys[0], nil, password)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, bad("{} (PEM): the private key is of a kind that cannot sign (%T)", key)
	}
	return signer, nil
}

func parsePEM(data []byte) (*contents, error) {
	blocks, err := pemBlocks(data)
	if err != nil {
		return nil, err
	}
	out := &contents{kind: PEM}
	work := &pbe.Reader{}
	for _, block := range blocks {
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE":
			out.certs = append(out.certs, certEntry{nth: len(out.certs) + 1, der: block.Bytes, trusted: true})
		case "TRUSTED CERTIFICATE": // OpenSSL's, with what it is trusted for behind it
			out.certs = append(out.certs, certEntry{nth: len(out.certs) + 1, der: firstDER(block.Bytes), trusted: true})
		case "PKCS7", "CMS":
			return nil, bad("{} (PEM) has its certificates in PKCS7: take them out with `openssl pkcs7 -in {file} -print_certs -out store.pem`")
		case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
			return nil, bad("{} (PEM) has a request for a certificate: what the authority has made of it is needed")
		default:
			if strings.HasSuffix(block.Type, "PRIVATE KEY") {
				key, err := pemKey(block, work)
				if err != nil {
					return nil, err
				}
				out.keys = append(out.keys, keyEntry{key: key})
			}
		}
	}
	return out, nil
}

// pemKey returns the key of a block. It decrypts nothing yet: a trust store may hold a key that nobody needs.
func pemKey(block *pem.Block, work *pbe.Reader) (sealed, error) {
	switch block.Type {
	case "PRIVATE KEY":
		key, err := parsePKCS8(block.Bytes)
		if err != nil {
			return nil, bad("{} (PEM): the private key %v", err)
		}
		return plainKey{key}, nil
	case "ENCRYPTED PRIVATE KEY":
		key := &sealedKey{work: work}
		if err := parseDER(block.Bytes, &key.encrypted); err != nil {
			return nil, bad("{} (PEM): the encrypted private key is damaged")
		}
		return key, nil
	case "RSA PRIVATE KEY", "EC PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" {
			return legacyKey{block}, nil
		}
		key, err := parseTraditional(block.Type, block.Bytes)
		if err != nil {
			return nil, bad("{} (PEM): the private key cannot be read: %v", err)
		}
		return plainKey{key}, nil
	case "OPENSSH PRIVATE KEY":
		return nil, bad("{} (PEM) has a key in the format of OpenSSH: write it anew with `ssh-keygen -p -m PKCS8 -f {file}`")
	}
	return nil, bad("{} (PEM) has a %s, which TLS in Go cannot use: RSA, EC and Ed25519 can be used", shown.Quoted(strings.ToLower(block.Type)))
}

// firstDER returns the first value of several.
func firstDER(der []byte) []byte {
	if n := len(der); n >= 4 && der[0] == 0x30 && der[1] == 0x82 {
		if size := 4 + int(der[2])<<8 + int(der[3]); size <= n {
			return der[:size]
		}
	}
	return der
}

// pemBlocks decodes all blocks. pem.Decode skips what it cannot read, so that a damaged certificate would be missing without a
// word. Here that is an error.
func pemBlocks(data []byte) ([]*pem.Block, error) {
	data = multiLine(data)
	begun := bytes.Count(data, beginPEM)
	var blocks []*pem.Block
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		blocks = append(blocks, block)
	}
	if begun > 0 && !bytes.Contains(data, []byte("-----END ")) && len(blocks) == 0 {
		return nil, bad("{} (PEM) begins a block and ends none: it is cut short; in a file of properties, each of its lines but the last ends in \\n\\")
	}
	if len(blocks) < begun {
		return nil, bad("{} (PEM) has %d blocks that begin, of which %d can be read: the others have no proper end, or what is between is damaged", begun, len(blocks))
	}
	return blocks, nil
}

// multiLine returns data with line breaks where blocks have blanks instead, as in a property that is written in one line. Java
// accepts that.
func multiLine(data []byte) []byte {
	var out []byte
	for {
		begin := bytes.Index(data, beginPEM)
		if begin < 0 {
			break
		}
		head := bytes.Index(data[begin+len(beginPEM):], []byte("-----"))
		end := bytes.Index(data[begin:], []byte("-----END "))
		if head < 0 || end < 0 {
			break
		}
		head += begin + len(beginPEM) + len("-----")
		end += begin
		if head > end {
			break
		}
		body := data[head:end]
		if bytes.ContainsAny(body, "\n") {
			out = append(out, data[:end]...)
		} else {
			out = append(out, data[:begin]...)
			out = append(out, '\n')
			out = append(out, data[begin:head]...)
			for _, field := range bytes.Fields(body) {
				out = append(append(out, '\n'), field...)
			}
			out = append(out, '\n')
		}
		data = data[end:]
		// What follows -----END begins a line of its own.
		if next := bytes.Index(data, beginPEM); next > 0 && data[next-1] != '\n' {
			out = append(append(out, data[:next]...), '\n')
			data = data[next:]
		}
	}
	return append(out, data...)
}
