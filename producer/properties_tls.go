package producer

import (
	"github.com/epistle-kafka/epistle/internal/tlsconf"
	"github.com/epistle-kafka/epistle/sasl"
)

// tlsSource has the ssl.* keys, whose values are resolved, and takes what is wrong with one of them. A problem is about a key
// that was set, or that should have been.
type tlsSource interface {
	Value(key string) (value string, isSet bool)
	Problem(key, rule string)
	Notice(key, text string)
}

// setTLS makes cfg.TLS and cfg.TLSFiles of the ssl.* keys. If it has reported a problem, nothing uses them.
func setTLS(source tlsSource, cfg *Config) {
	found := tlsconf.Resolve(source.Value)
	for _, n := range found.Notices {
		source.Notice(n.Key, n.Text)
	}
	for _, p := range found.Problems {
		source.Problem(p.Key, p.Rule)
	}
	cfg.TLS = found.Config
	if f := found.Files; !f.IsZero() {
		cfg.TLSFiles = &TLSFiles{
			TrustStore: f.TrustStore, TrustStorePassword: sasl.Secret(f.TrustStorePassword.Reveal()),
			KeyStore: f.KeyStore, KeyStorePassword: sasl.Secret(f.KeyStorePassword.Reveal()), KeyPassword: sasl.Secret(f.KeyPassword.Reveal()),
			SkipHostName: f.SkipHostName,
		}
	}
}
