package security

import (
	"testing"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// A producer shows its certificate out of each kind of store, made by the programs that people make theirs with, and the broker
// lets in nobody without one: docs/mistakes.md has what is said then.
func TestStores(t *testing.T) {
	t.Parallel()
	s := broker(t)
	openssl := func(t *testing.T, args ...string) { tool(t, "openssl", args...) }
	keytool := func(t *testing.T, args ...string) { tool(t, "keytool", args...) }
	export := func(t *testing.T, out string) { // key and certificate in PKCS12
		openssl(t, "pkcs12", "-export", "-inkey", "client-key.pem", "-in", "client.pem", "-certfile", "authority.pem", "-name", "client",
			"-passout", "pass:"+password, "-out", out)
	}
	convert := func(t *testing.T, from, kind, to string) {
		keytool(t, "-importkeystore", "-noprompt", "-srckeystore", from, "-srcstorepass", password, "-destkeystore", to,
			"-deststoretype", kind, "-deststorepass", password)
	}
	trust := func(t *testing.T, kind, name string) {
		keytool(t, "-importcert", "-noprompt", "-keystore", name, "-storetype", kind, "-storepass", password, "-alias", "authority", "-file", "authority.pem")
	}
	for _, c := range []struct {
		name  string
		make  func(t *testing.T)
		files producer.TLSFiles // in dir
	}{
		{"JKS", func(t *testing.T) {
			export(t, "for-jks.p12")
			convert(t, "for-jks.p12", "JKS", "client.jks")
			trust(t, "JKS", "trust.jks")
		}, producer.TLSFiles{KeyStore: "client.jks", KeyStorePassword: password, TrustStore: "trust.jks", TrustStorePassword: password}},
		{"JKS, the key with a password of its own", func(t *testing.T) {
			export(t, "for-own.p12")
			convert(t, "for-own.p12", "JKS", "own.jks")
			keytool(t, "-keypasswd", "-keystore", "own.jks", "-storepass", password, "-alias", "client", "-keypass", password, "-new", "other-secret")
			trust(t, "JKS", "unchecked.jks")
		}, producer.TLSFiles{KeyStore: "own.jks", KeyStorePassword: password, KeyPassword: "other-secret", TrustStore: "unchecked.jks"}},
		{"PKCS12 by OpenSSL", func(t *testing.T) { export(t, "openssl.p12") },
			producer.TLSFiles{KeyStore: "openssl.p12", KeyStorePassword: password, TrustStore: "authority.pem"}},
		{"PKCS12 by keytool", func(t *testing.T) {
			export(t, "for-keytool.p12")
			convert(t, "for-keytool.p12", "PKCS12", "keytool.p12")
			trust(t, "PKCS12", "trust.p12")
		}, producer.TLSFiles{KeyStore: "keytool.p12", KeyStorePassword: password, TrustStore: "trust.p12", TrustStorePassword: password}},
		{"PEM in one file", func(*testing.T) {}, producer.TLSFiles{KeyStore: "client-store.pem", TrustStore: "authority.pem"}},
		{"PEM in two files", func(*testing.T) {}, producer.TLSFiles{Certificate: "client.pem", Key: "client-key.pem", TrustStore: "authority.pem"}},
		{"PEM with an encrypted key", func(t *testing.T) {
			openssl(t, "pkcs8", "-topk8", "-in", "client-key.pem", "-out", "encrypted-key.pem", "-passout", "pass:"+password, "-v2", "aes-256-cbc")
		}, producer.TLSFiles{Certificate: "client.pem", Key: "encrypted-key.pem", KeyPassword: password, TrustStore: "authority.pem"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.make(t)
			for _, name := range []*string{&c.files.KeyStore, &c.files.TrustStore, &c.files.Certificate, &c.files.Key} {
				if *name != "" {
					*name = s.authority.Path(*name)
				}
			}
			s.delivers(t, onMutual, func(cfg *producer.Config) { cfg.TLSFiles = &c.files })
			t.Run("as properties", func(t *testing.T) { s.deliversAs(t, c.files) })
		})
	}
}

// deliversAs is delivers with what a properties file would say of the same stores.
func (s *site) deliversAs(t *testing.T, f producer.TLSFiles) {
	t.Helper()
	properties := map[string]string{"bootstrap.servers": s.Listener(0, onMutual), "security.protocol": "SSL", "ssl.truststore.location": f.TrustStore}
	for key, secret := range map[string]sasl.Secret{
		"ssl.truststore.password": f.TrustStorePassword, "ssl.keystore.password": f.KeyStorePassword, "ssl.key.password": f.KeyPassword,
		"ssl.keystore.location": sasl.Secret(f.KeyStore),
	} {
		if secret != "" {
			properties[key] = string(secret)
		}
	}
	var options []producer.PropertiesOption
	if f.Certificate != "" { // Java has no key for two files
		options = append(options, producer.LibrdkafkaNames())
		properties["ssl.certificate.location"], properties["ssl.key.location"] = f.Certificate, f.Key
		properties["ssl.ca.location"] = f.TrustStore
		delete(properties, "ssl.truststore.location")
	} else if f.TrustStorePassword == "" && f.KeyStorePassword == "" {
		properties["ssl.keystore.type"], properties["ssl.truststore.type"] = "PEM", "PEM"
	}
	cfg, notices, err := producer.FromMap(properties, options...)
	do(t, err)
	t.Logf("notices: %v", notices)
	s.delivers(t, onMutual, func(c *producer.Config) { *c = cfg })
}
