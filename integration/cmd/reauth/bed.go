package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/epistle-kafka/epistle/integration/identity"
	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// The listeners of the brokers, besides the plaintext one by which topics are made and read.
const (
	onLasting = "LASTING" // SASL, and sessions that last
	onEnding  = "ENDING"  // SASL, and sessions that end
	onMutual  = "MUTUAL"  // TLS with a certificate of the client
	onTokens  = "TOKENS"  // OAUTHBEARER, and sessions that end with the token
)

// hosts is where the brokers are.
var hosts = []string{"localhost", "127.0.0.1"}

// The user of all mechanisms, and the password at the beginning.
const (
	user          = "alice"
	firstPassword = "password-1"
)

// What else the brokers can be asked for.
type bedOptions struct {
	brokers   int
	mechanism string // of onLasting and onEnding
	secure    bool   // TLS on onLasting, onEnding and onTokens
	lifetime  time.Duration
	log       io.Writer
}

// A bed is a Kafka with those listeners.
type bed struct {
	bedOptions
	*kafka.Cluster
	dir       string
	admin     *reader.Admin
	authority *identity.Authority // the brokers' at the beginning
	provider  *identity.Provider
	jwks      net.Listener // where brokers find its keys
}

// openBed starts brokers. They end with close, or with the process.
func openBed(ctx context.Context, o bedOptions) (_ *bed, err error) {
	b := &bed{bedOptions: o}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.dir, err = os.MkdirTemp("", "epistle-reauth-"); err != nil {
		return nil, err
	}
	if b.authority, err = identity.NewAuthority(b.dir, "authority"); err != nil {
		return nil, err
	}
	if err := b.authority.Broker("broker", time.Now().Add(24*time.Hour), hosts...); err != nil {
		return nil, err
	}
	if err := b.issue(); err != nil {
		return nil, err
	}
	if b.Cluster, err = kafka.Open(ctx, b.options()); err != nil {
		return nil, err
	}
	if b.admin, err = reader.NewAdmin(b.Bootstrap()); err != nil {
		return nil, err
	}
	return b, b.setPassword(ctx, firstPassword)
}

func (b *bed) close() {
	if b.admin != nil {
		b.admin.Close()
	}
	if b.Cluster != nil {
		b.Cluster.Close()
	}
	if b.jwks != nil {
		b.jwks.Close()
	}
	os.RemoveAll(b.dir)
}

// issue makes the identity provider, and publishes its keys.
func (b *bed) issue() (err error) {
	if b.provider, err = identity.NewProvider(); err != nil {
		return err
	}
	if b.jwks, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	b.provider.Issuer = "http://" + b.jwks.Addr().String()
	go http.Serve(b.jwks, b.provider) // until it is closed
	return nil
}

// options are the brokers'.
func (b *bed) options() kafka.Options {
	protocol := "SASL_PLAINTEXT"
	if b.secure {
		protocol = "SASL_SSL"
	}
	o := kafka.Options{
		Brokers: b.brokers, Own: true, Log: b.log,
		Config: map[string]string{
			"log.retention.check.interval.ms": "5000", // what was read is deleted, and the disk is to show it
		},
		Listeners: []kafka.Listener{{Name: onLasting, Protocol: protocol}, {Name: onEnding, Protocol: protocol},
			{Name: onTokens, Protocol: protocol}, {Name: onMutual, Protocol: "SSL"}},
		JVM: []string{"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=" + b.provider.Issuer + "/jwks"},
	}
	b.offer(&o, onLasting, b.mechanism)
	b.offer(&o, onEnding, b.mechanism)
	b.offer(&o, onTokens, "OAUTHBEARER")
	o.Config[prefixOf(onEnding)+strings.ToLower(b.mechanism)+".connections.max.reauth.ms"] = fmt.Sprint(b.lifetime.Milliseconds())
	for _, l := range o.Listeners {
		if l.Protocol != "SASL_PLAINTEXT" {
			b.speakTLS(&o, l.Name)
		}
	}
	o.Config[prefixOf(onMutual)+"ssl.client.auth"] = "required"
	return o
}

func prefixOf(listener string) string { return "listener.name." + strings.ToLower(listener) + "." }

// offer has a listener take one mechanism.
func (b *bed) offer(o *kafka.Options, listener, mechanism string) {
	prefix := prefixOf(listener)
	own := prefix + strings.ToLower(mechanism) + "."
	o.Config[prefix+"sasl.enabled.mechanisms"] = mechanism
	const security = "org.apache.kafka.common.security."
	switch mechanism {
	case "PLAIN":
		o.Config[own+"sasl.jaas.config"] = security + `plain.PlainLoginModule required user_` + user + `="` + firstPassword + `";`
	case "OAUTHBEARER":
		maps.Copy(o.Config, map[string]string{
			own + "sasl.server.callback.handler.class":    security + "oauthbearer.OAuthBearerValidatorCallbackHandler",
			own + "sasl.jaas.config":                      security + "oauthbearer.OAuthBearerLoginModule required;",
			prefix + "sasl.oauthbearer.jwks.endpoint.url": b.provider.Issuer + "/jwks",
			prefix + "sasl.oauthbearer.expected.audience": identity.Audience,
			prefix + "sasl.oauthbearer.expected.issuer":   b.provider.Issuer,
		})
	default:
		o.Config[own+"sasl.jaas.config"] = security + "scram.ScramLoginModule required;"
	}
}

func (b *bed) speakTLS(o *kafka.Options, listener string) {
	prefix := prefixOf(listener) + "ssl."
	maps.Copy(o.Config, map[string]string{
		prefix + "keystore.type":       "PEM",
		prefix + "keystore.location":   b.authority.Path("broker-store.pem"),
		prefix + "truststore.type":     "PEM",
		prefix + "truststore.location": b.authority.Path("authority.pem"),
	})
}

// setPassword changes the user's, for both mechanisms of SCRAM.
func (b *bed) setPassword(ctx context.Context, password string) error {
	for _, m := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} { // one request has each user once
		done, err := b.admin.Client().AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: user, Mechanism: m, Iterations: 4096, Password: password}})
		if err := cmp.Or(err, done.Error()); err != nil {
			return fmt.Errorf("set the password of %s: %w", user, err)
		}
	}
	return nil
}

// at is where the brokers are reached by a listener.
func (b *bed) at(listener string) (all []string) {
	for i := range b.Brokers() {
		all = append(all, b.Listener(i, listener))
	}
	return all
}

// config logs in by a listener.
func (b *bed) config(listener string, m sasl.Mechanism) producer.Config {
	cfg := producer.DefaultConfig(b.at(listener)...)
	cfg.SASL = m
	if b.secure && m != nil {
		cfg.TLSFiles = &producer.TLSFiles{TrustStore: b.authority.Path("authority.pem")}
	}
	return cfg
}

// login is the mechanism of onLasting and onEnding.
func (b *bed) login() sasl.Mechanism {
	switch b.mechanism {
	case "PLAIN":
		return sasl.Plain(user, firstPassword)
	case "SCRAM-SHA-512":
		return sasl.ScramSHA512(user, firstPassword)
	case "OAUTHBEARER":
		return sasl.OAuthBearer(sasl.TokenFunc(func(context.Context) (sasl.Token, error) {
			return sasl.Token{Value: sasl.Secret(b.provider.Token(b.provider.Key, b.provider.Claims(24*time.Hour)))}, nil
		}))
	}
	return sasl.ScramSHA256(user, firstPassword)
}

// segment is how much of a partition is in one file, in bytes: what was read is deleted by whole files.
const segment = "16777216"

func (b *bed) create(ctx context.Context, topic string, partitions int) error {
	return b.admin.CreateTopic(ctx, topic, int32(partitions), -1, map[string]string{
		"segment.bytes": segment, "file.delete.delay.ms": "1000", "retention.ms": "-1",
	})
}

func (b *bed) remove(topic string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, _ = b.admin.Client().DeleteTopic(ctx, topic) // the brokers end with us
}

func (b *bed) follow(topic string, partitions int, committed bool) (readBack, error) {
	return startReadBack(b.Bootstrap(), topic, partitions, committed)
}

// trust and show are brokerTLS, of onMutual.

func (b *bed) trust(ctx context.Context, authorities ...*identity.Authority) error {
	var names []string
	var text []byte
	for _, a := range authorities {
		own, err := ownCertificate(a)
		if err != nil {
			return err
		}
		names, text = append(names, a.Certificate.Subject.CommonName), append(text, own...)
	}
	file := filepath.Join(b.dir, "trust-"+strings.Join(names, "-")+".pem") // another path, so that it is another setting
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	return b.alter(ctx, "ssl.truststore.location", file, func(h handshake) bool { return h.accepts(authorities) })
}

func (b *bed) show(ctx context.Context, by *identity.Authority) error {
	want := by.Certificate.Subject.CommonName
	return b.alter(ctx, "ssl.keystore.location", by.Path("broker-store.pem"), func(h handshake) bool { return h.issuer == want })
}

// alter changes a setting of onMutual at each broker, and waits until it is in force.
func (b *bed) alter(ctx context.Context, key, value string, inForce func(handshake) bool) error {
	key = prefixOf(onMutual) + key
	for i := range b.Brokers() {
		answers, err := b.admin.Client().AlterBrokerConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}, b.NodeID(i))
		for _, a := range answers {
			if a.Err != nil {
				err = errors.Join(err, fmt.Errorf("%w: %s", a.Err, a.ErrMessage))
			}
		}
		if err != nil {
			return fmt.Errorf("set %s: %w", key, err)
		}
		for {
			h, err := shakeHands(ctx, b.Listener(i, onMutual))
			if err == nil && inForce(h) {
				break
			}
			if ctx.Err() != nil {
				return fmt.Errorf("%s of broker %d is not in force: %w", key, i, errors.Join(err, ctx.Err()))
			}
			pause(ctx, 100*time.Millisecond)
		}
	}
	return nil
}
