package security

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/epistle-kafka/epistle/integration/identity"
	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
)

// The listeners of the broker that all tests share, besides the plaintext one by which they make topics and read.
const (
	onSASL      = "SASL"      // PLAIN and SCRAM over plaintext
	onSASLTLS   = "SASLTLS"   // the same over TLS
	onShort     = "SHORT"     // PLAIN and SCRAM-SHA-512, in sessions of shortSession
	onTokens    = "TOKENS"    // OAUTHBEARER over plaintext
	onTokensTLS = "TOKENSTLS" // the same over TLS
	onMutual    = "MUTUAL"    // TLS with a certificate of the client
	onExpired   = "EXPIRED"   // TLS with a certificate of the broker that has expired
	onOtherHost = "OTHERHOST" // TLS with a certificate of another host
	onAstray    = "ASTRAY"    // plaintext, advertised where nobody listens
)

// shortSession is what SHORT grants. A producer authenticates again after 85 to 95 % of it.
const shortSession = 5 * time.Second

// password is alice's, with every mechanism, and of every store.
const password = "changeit"

// A site is the broker and what it was given.
type site struct {
	*kafka.Cluster
	authority, other *identity.Authority // the one that the broker trusts, and one that it does not
	provider         *provider           // of the tokens that it takes
}

var (
	theSite = sync.OnceValues(openSite)
	dir     string // of all files
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "40") // most of these tests wait, for sessions to end and max.block to pass, on any number of cores
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if dir, err = os.MkdirTemp("", "epistle-security-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	return m.Run() // the broker ends with the process
}

// broker is the site. Where none can be had the test is put on the list of those not run.
func broker(t *testing.T) *site {
	t.Helper()
	s, err := theSite()
	need(t, err)
	return s
}

func openSite() (*site, error) {
	s := &site{}
	if err := s.certificates(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute) // Kafka may have to be downloaded
	defer cancel()
	o := kafka.Options{Own: true, Config: map[string]string{"num.network.threads": "1"}}
	s.passwords(&o)
	s.tls(&o)
	var err error
	if s.provider, err = newProvider(); err != nil { // it ends with the process
		return nil, err
	}
	s.tokens(&o)
	o.Listeners = append(o.Listeners, kafka.Listener{Name: onAstray, Protocol: "PLAINTEXT", Host: "127.0.0.2"})
	if s.Cluster, err = kafka.Open(ctx, o); err != nil {
		return nil, err
	}
	return s, s.users(ctx)
}

func (s *site) certificates() (err error) {
	if s.authority, err = identity.NewAuthority(dir, "authority"); err != nil {
		return err
	}
	if s.other, err = identity.NewAuthority(dir, "other-authority"); err != nil {
		return err
	}
	later, yesterday := time.Now().Add(72*time.Hour), time.Now().Add(-24*time.Hour)
	for _, make := range []func() error{
		func() error { return s.authority.Broker("broker", later, "localhost", "127.0.0.1") },
		func() error { return s.authority.Broker("expired-broker", yesterday, "localhost", "127.0.0.1") },
		func() error { return s.authority.Broker("other-host", later, "kafka.example.test") },
		func() error { return s.authority.Client("client", later) },
		func() error { return s.authority.Client("expired-client", yesterday) },
		func() error { return s.other.Client("strange-client", later) },
	} {
		if err := make(); err != nil {
			return err
		}
	}
	return nil
}

// passwords adds the listeners with PLAIN and SCRAM.
func (s *site) passwords(o *kafka.Options) {
	o.Listeners = append(o.Listeners, kafka.Listener{Name: onSASL, Protocol: "SASL_PLAINTEXT"},
		kafka.Listener{Name: onSASLTLS, Protocol: "SASL_SSL"}, kafka.Listener{Name: onShort, Protocol: "SASL_PLAINTEXT"})
	for _, l := range []string{"sasl", "sasltls", "short"} {
		prefix := "listener.name." + l + "."
		maps.Copy(o.Config, map[string]string{
			prefix + "sasl.enabled.mechanisms":        "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
			prefix + "plain.sasl.jaas.config":         `org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="` + password + `";`,
			prefix + "scram-sha-256.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
			prefix + "scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
		})
	}
	for _, mechanism := range []string{"plain", "scram-sha-512"} {
		o.Config["listener.name.short."+mechanism+".connections.max.reauth.ms"] = fmt.Sprint(shortSession.Milliseconds())
	}
	o.Config["listener.name.short.sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-512"
	o.Config["delegation.token.secret.key"] = "of all brokers"
}

// tokens adds the listeners with OAUTHBEARER. The broker asks the provider for its keys when it starts.
func (s *site) tokens(o *kafka.Options) {
	o.Listeners = append(o.Listeners, kafka.Listener{Name: onTokens, Protocol: "SASL_PLAINTEXT"}, kafka.Listener{Name: onTokensTLS, Protocol: "SASL_SSL"})
	o.JVM = append(o.JVM, "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls="+s.provider.URL+"/jwks")
	const class = "org.apache.kafka.common.security.oauthbearer.OAuthBearer"
	for _, l := range []string{"tokens", "tokenstls"} {
		prefix := "listener.name." + l + "."
		maps.Copy(o.Config, map[string]string{
			prefix + "sasl.enabled.mechanisms":                        "OAUTHBEARER",
			prefix + "oauthbearer.sasl.server.callback.handler.class": class + "ValidatorCallbackHandler",
			prefix + "oauthbearer.sasl.jaas.config":                   class + "LoginModule required;",
			prefix + "sasl.oauthbearer.jwks.endpoint.url":             s.provider.URL + "/jwks",
			prefix + "sasl.oauthbearer.expected.audience":             identity.Audience,
			prefix + "sasl.oauthbearer.expected.issuer":               s.provider.URL,
		})
	}
}

// tls adds the listeners with TLS, and the certificates of all.
func (s *site) tls(o *kafka.Options) {
	o.Listeners = append(o.Listeners, kafka.Listener{Name: onMutual, Protocol: "SSL"}, kafka.Listener{Name: onExpired, Protocol: "SSL"},
		kafka.Listener{Name: onOtherHost, Protocol: "SSL"})
	for l, cert := range map[string]string{"sasltls": "broker", "tokenstls": "broker", "mutual": "broker", "expired": "expired-broker", "otherhost": "other-host"} {
		prefix := "listener.name." + l + ".ssl."
		maps.Copy(o.Config, map[string]string{
			prefix + "keystore.type":       "PEM",
			prefix + "keystore.location":   s.authority.Path(cert + "-store.pem"),
			prefix + "truststore.type":     "PEM",
			prefix + "truststore.location": s.authority.Path("authority.pem"),
		})
	}
	o.Config["listener.name.mutual.ssl.client.auth"] = "required"
}

// users makes alice known to SCRAM.
func (s *site) users(ctx context.Context) error {
	admin, err := reader.NewAdmin(s.Bootstrap())
	if err != nil {
		return err
	}
	defer admin.Close()
	for _, m := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} { // one request has each user once
		done, err := admin.Client().AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: "alice", Mechanism: m, Iterations: 4096, Password: password}})
		if err := cmp.Or(err, done.Error()); err != nil {
			return err
		}
	}
	return nil
}
