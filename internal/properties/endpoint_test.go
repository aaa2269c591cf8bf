package properties

import (
	"crypto/tls"
	"maps"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/sasl"
)

// endpoint resolves a login module that has these options ssl.… for the token endpoint.
func endpoint(t *testing.T, options string) (*Set, *tls.Config, error) {
	t.Helper()
	s := read(sslStub+"ssl.truststore.location=/nowhere\nsasl.jaas.config=com.example.Login required username=alice "+options+";\n", Options{})
	m, ok := s.Mechanism().(stub)
	if !ok {
		_, problems := said(s)
		t.Fatalf("%s: %s", options, problems)
	}
	ssl := maps.Clone(m.Login.Options)
	maps.DeleteFunc(ssl, func(option string, _ sasl.Secret) bool { return !strings.HasPrefix(option, "ssl.") })
	c, err := m.TLS(ssl)
	return s, c, err
}

// The options ssl.… of a login module mean what the keys of these names mean, and are for the token endpoint alone.
func TestEndpointTLS(t *testing.T) {
	const stores = "../keystore/testdata/"
	for _, test := range []struct {
		options string
		roots   bool
		pairs   int
		skips   bool
		notice  string
	}{
		{`ssl.truststore.location="` + stores + `trust.jks" ssl.truststore.password=changeit`, true, 0, false, ""},
		{`ssl.truststore.type=PEM ssl.truststore.location="` + stores + `ca.pem"`, true, 0, false, ""},
		{`ssl.keystore.location="` + stores + `keytool.p12" ssl.keystore.password=" changeit "`, false, 1, false, ""},
		{`ssl.endpoint.identification.algorithm=""`, false, 0, true, "option ssl.endpoint.identification.algorithm, for the token endpoint: host names are not checked"},
		{`ssl.protocol=TLSv1.2`, false, 0, false, ""},
		{`ssl.provider=SunJSSE`, false, 0, false, "option ssl.provider has no effect: concerns the JVM"},
		{`ssl.keystore.type=PEM`, false, 0, false, "option ssl.keystore.type, for the token endpoint: has no effect, as in Java, since neither ssl.keystore.location nor"},
		{`ssl.enabled.protocols="TLSv1.3"`, false, 0, false, ""},
	} {
		s, c, err := endpoint(t, test.options)
		if err != nil {
			t.Errorf("%s: %v", test.options, err)
			continue
		}
		if (c.RootCAs != nil) != test.roots || len(c.Certificates) != test.pairs || c.InsecureSkipVerify != test.skips || (c.VerifyConnection != nil) != test.skips {
			t.Errorf("%s: got %+v", test.options, c)
		}
		if notices, _ := said(s); !strings.Contains(notices, test.notice) || test.notice == "" && notices != "" {
			t.Errorf("%s: got notices %s, want %q", test.options, notices, test.notice)
		}
	}
	for options, want := range map[string]string{
		`ssl.truststore.location="` + stores + `trust.jks" ssl.truststore.password=hunter2`:  `option ssl.truststore.password is not the password of "` + stores + `trust.jks" (JKS)`,
		`ssl.truststore.location="/nowhere/ca.pem" ssl.keystore.location="/nowhere/key.pem"`: `option ssl.truststore.location "/nowhere/ca.pem" does not exist; option ssl.keystore.location "/nowhere/key.pem" does not exist`,
		`ssl.truststore.locaton="/hunter2"`:                                                  "option ssl.truststore.locaton is not a known setting; did you mean ssl.truststore.location?",
		`ssl.engine.factory.class="com.example.Factory"`:                                     "option ssl.engine.factory.class is a Java class, which cannot run here",
		`ssl.enabled.protocols="SSLv9"`:                                                      "option ssl.enabled.protocols has SSLv9, but knows TLSv1.2 and TLSv1.3",
		`ssl.ca.location="/hunter2"`:                                                         "it is librdkafka's name for ssl.truststore.location",
		`ssl.truststore.type=PEM ssl.truststore.certificates="hunter2"`:                      "option ssl.truststore.certificates",
	} {
		if _, _, err := endpoint(t, options); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s:\n got %v\nwant %s", options, err, want)
		}
	}
}
