package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// An Authority issues certificates into a directory. Its methods must not be called concurrently.
type Authority struct {
	// Certificate is its own.
	Certificate *x509.Certificate

	dir string
	key *ecdsa.PrivateKey
}

// NewAuthority makes an authority of that name, and name.pem in the directory with its certificate.
func NewAuthority(dir, name string) (*Authority, error) {
	a := &Authority{dir: dir}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	var err error
	a.Certificate, a.key, err = a.issue(name, template)
	return a, err
}

// Path is where a file of the authority's directory is.
func (a *Authority) Path(name string) string { return filepath.Join(a.dir, name) }

// Broker makes the key and the certificate of a broker, for host names or addresses: name.pem, name-key.pem, and both in
// name-store.pem.
func (a *Authority) Broker(name string, until time.Time, hosts ...string) error {
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	_, _, err := a.issue(name, template)
	return err
}

// Client makes the key and the certificate of a client, in files as Broker does.
func (a *Authority) Client(name string, until time.Time) error {
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	_, _, err := a.issue(name, template)
	return err
}

// issue makes name.pem, name-key.pem, and both in name-store.pem. An authority without a certificate gets that one itself.
func (a *Authority) issue(name string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, nil, err
	}
	template.NotBefore = time.Now().Add(-48 * time.Hour)
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(24 * time.Hour)
	}
	parent, signer := a.Certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	for file, content := range map[string][]byte{name + ".pem": certPEM, name + "-key.pem": keyPEM, name + "-store.pem": append(keyPEM[:len(keyPEM):len(keyPEM)], certPEM...)} {
		if err := os.WriteFile(a.Path(file), content, 0o600); err != nil {
			return nil, nil, err
		}
	}
	return cert, key, nil
}
