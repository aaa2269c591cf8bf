package producer

import (
	"cmp"
	"crypto/tls"

	"github.com/epistle-kafka/epistle/internal/keystore"
	"github.com/epistle-kafka/epistle/internal/properties"
	"github.com/epistle-kafka/epistle/internal/tlsconf"
	"github.com/epistle-kafka/epistle/sasl"
)

// TLSFiles says in which files the certificates are that TLS is spoken with. New reads them, and a *ConfigError says what
// is wrong with one. They are looked at again when a connection is made, at most once a second: new connections use
// what is in them then, and those that exist go on. A file that has become unusable is logged once, and what was
// loaded before stays in use.
//
// What a file is, its content says: JKS, PKCS12 or PEM. A certificate that is about to expire is replaced by replacing the
// file, by writing it, by renaming another one, or by a symbolic link, as Kubernetes does.
//
// An empty password is none. Then JKS stores of trusted certificates are read without a check of their integrity, as in
// Java, and encrypted PKCS12 stores are refused.
type TLSFiles struct {
	// ssl.truststore.location. The authorities that certificates of brokers must come from. "" = those of Config.TLS's
	// RootCAs, or else of the system.
	TrustStore string
	// ssl.truststore.password.
	TrustStorePassword sasl.Secret

	// ssl.keystore.location. Private keys and their certificates, to show to brokers that ask for one: the first that
	// suits the authorities that the broker names; none if none does. "" = those of Config.TLS.
	KeyStore string
	// ssl.keystore.password.
	KeyStorePassword sasl.Secret
	// ssl.key.password, default KeyStorePassword. The password of the keys in KeyStore, or of Key.
	KeyPassword sasl.Secret

	// Certificate and Key are two PEM files in place of KeyStore, such as tls.crt and tls.key of a Kubernetes secret.
	Certificate, Key string

	// ssl.endpoint.identification.algorithm empty. The chain of certificates is verified, the host name is not: whoever
	// has any certificate of a trusted authority can pose as the broker.
	SkipHostName bool
}

// files is f as package tlsconf takes it.
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

// openTLS reads the files of cfg.TLSFiles, and sees to it that there is a cfg.TLS. Without files it returns nil. FromProperties
// has read them, too, to say what is wrong with them; but a Config may be changed, copied and used much later, so what is in the
// files when a producer is made is what counts.
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

// violation says which field a problem is about. Java does not know all of them.
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
