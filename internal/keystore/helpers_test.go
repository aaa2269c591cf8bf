package keystore

import "crypto/x509"

// parseAll returns the common names of certificates.
func parseAll(ders [][]byte) ([]string, error) {
	var names []string
	for _, der := range ders {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		names = append(names, cert.Subject.CommonName)
	}
	return names, nil
}
