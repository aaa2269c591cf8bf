package producer

import (
	"cmp"
	"crypto/tls"

	"github.com/epistle-kafka/epistle/internal/keystore"
	"github.com/epistle-kafka/epistle/internal/properties"
	"github.com/epistle-kafka/epistle/internal/tlsconf"
	"github.com/epistle-kafka/epistle/sasl"
)

// TLSFiles names the files of certificates and keys for TLS. A file is JKS, PKCS12 or PEM, which its content says. New reads
// the files, and a *ConfigError says what is wrong with one.
//
// Files may be replaced while the producer lives: by writing the file, by renaming another one, or by a symbolic link, as
// Kubernetes does. They are looked at again when a connection is made, at most once a second. New connections use the new
// content, and those that exist go on. A file that has become unusable is logged once, and the content before it stays in use.
//
// An empty password is none. JKS stores of trusted certificates are then read without a check of their integrity, as in Java.
// PKCS12 stores that are encrypted are refused.
type TLSFiles struct {
	// ssl.truststore.location. The authorities that certificates of brokers must come from. "": those of Config.TLS's RootCAs,
	// or else the system's.
	TrustStore string
	// ssl.truststore.password.
	TrustStorePassword sasl.Secret

	// ssl.keystore.location. Private keys and their certificates, for brokers that ask for one. A broker is shown the first
	// that suits the authorities that it names, or none. "": those of Config.TLS.
	KeyStore string
	// ssl.keystore.password.
	KeyStorePassword sasl.Secret
	// ssl.key.password, default KeyStorePassword. The password of the keys in KeyStore, or of Key.
	KeyPassword sasl.Secret

	// Certificate and Key are two PEM files in place of KeyStore, such as tls.crt and tls.key of a Kubernetes secret.
	Certificate, Key string

	// ssl.endpoint.identification.algorithm empty. The host name is not verified, while the chain of certificates is. So
	// whoever has any certificate of a trusted authority can pose as the broker.
	SkipHostName bool
}

// files returns f as package tlsconf takes it.
func (f TLSFiles) files() tlsconf.Files {
	password := func(s sasl.Secret) keystore.Password {
		if s == "" {
			return nil
		}
		return keystore.NewPassword(string(s))
	}
	return tlsconf.Files{
		TrustStore: f.TrustStore, TrustStorePassword: password(f.TrustStorePassword),
		KeyStore: f.KeyStore, KeyStorePassword: password(f.KeyStorePassword), KeyPassword: password(f.KeyPassword),
		Certificate: f.Certificate, Key: f.Key, SkipHostName: f.SkipHostName,
	}
}

// fieldOfTLS names the field of TLSFiles that a setting is about.
var fieldOfTLS = map[string]string{
	"ssl.truststore.location": "TrustStore", "ssl.truststore.password": "TrustStorePassword",
	"ssl.keystore.location": "KeyStore", "ssl.keystore.password": "KeyStorePassword", "ssl.key.password": "KeyPassword",
	"ssl.certificate.location": "Certificate", "ssl.key.location": "Key",
}

// openTLS reads the files of c.TLSFiles, and makes a c.TLS if there is none. Without files it returns nil. FromProperties has
// read them, too, to say what is wrong with them. But a Config may be changed, copied and used much later, so the content at
// the time of New counts.
func (c *Config) openTLS() (*tlsconf.Source, []tlsconf.Notice, error) {
	if c.TLSFiles == nil {
		return nil, nil, nil
	}
	files := *c.TLSFiles
	source, notices, problems := tlsconf.Open(files.files())
	if len(problems) > 0 {
		e := &ConfigError{}
		for _, p := range problems {
			e.Violations = append(e.Violations, files.violation(p))
		}
		return nil, nil, e
	}
	c.TLS = cmp.Or(c.TLS, &tls.Config{MinVersion: tls.VersionTLS12})
	return source, notices, nil
}

// violation says which field a problem is about. Java does not know all of these fields.
func (f TLSFiles) violation(p tlsconf.Problem) ViolationError {
	v := ViolationError{Field: "TLSFiles." + fieldOfTLS[p.Key], Key: p.Key, Value: properties.Hidden, Rule: p.Rule}
	switch fieldOfTLS[p.Key] {
	case "TrustStore":
		v.Value = f.TrustStore
	case "KeyStore":
		v.Value = f.KeyStore
	case "Certificate":
		v.Key, v.Value = "", f.Certificate
	case "Key":
		v.Key, v.Value = "", f.Key
	}
	return v
}
