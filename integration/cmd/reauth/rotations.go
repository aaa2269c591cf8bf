package main

import (
	"context"
	"net"
	"os"
	"path/filepath"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// A namedRotation can be begun. end is called once it is over.
type namedRotation struct {
	name  string
	begin func(ctx context.Context) (r *rotation, end func(), err error)
}

// rotations are all that can be had of a Kafka.
func (b *bed) rotations() []namedRotation {
	return []namedRotation{
		{"password", b.rotatePassword},
		{"certificates-renamed", func(ctx context.Context) (*rotation, func(), error) {
			dir, err := b.subdirectory("renamed")
			if err != nil {
				return nil, nil, err
			}
			return b.rotateCertificates(ctx, "certificates: files are renamed", "renamed", plainDir(dir))
		}},
		{"certificates-mounted", func(ctx context.Context) (*rotation, func(), error) {
			dir, err := b.subdirectory("mounted")
			if err != nil {
				return nil, nil, err
			}
			return b.rotateCertificates(ctx, "certificates: a link is replaced, as Kubernetes does", "mounted", &secretDir{dir: dir})
		}},
		{"endpoint-moves", func(context.Context) (*rotation, func(), error) { return b.rotateTokens((*tokenEndpoint).moves) }},
		{"endpoint-down", func(context.Context) (*rotation, func(), error) { return b.rotateTokens((*tokenEndpoint).outages) }},
	}
}

func (b *bed) subdirectory(name string) (string, error) {
	dir := filepath.Join(b.dir, name)
	return dir, os.Mkdir(dir, 0o700)
}

func nothing() {}

func (b *bed) rotatePassword(context.Context) (*rotation, func(), error) {
	s, err := newPasswords(b.dir, firstPassword, b.lifetime, b.setPassword)
	if err != nil {
		return nil, nil, err
	}
	m := sasl.ScramSHA256From(s.credentials(user))
	if b.mechanism == "SCRAM-SHA-512" {
		m = sasl.ScramSHA512From(s.credentials(user))
	}
	return s.rotation(b.config(onEnding, m)), nothing, nil
}

func (b *bed) rotateCertificates(ctx context.Context, name, prefix string, m mounted) (*rotation, func(), error) {
	d := &dialer{dial: (&net.Dialer{}).DialContext}
	c := &certificates{name: prefix, dir: b.dir, brokers: b, hosts: hosts, mounted: m, cut: d.cut, dials: d.dials}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.begin(ctx); err != nil {
		return nil, nil, err
	}
	cfg := producer.DefaultConfig(b.at(onMutual)...)
	cfg.TLSFiles, cfg.DialContext = c.files(), d.DialContext
	return c.rotation(name, cfg), nothing, nil
}

func (b *bed) rotateTokens(how func(*tokenEndpoint, producer.Config) *rotation) (*rotation, func(), error) {
	e := &tokenEndpoint{
		provider: b.provider, life: b.lifetime,
		listen: func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
		dial:   (&net.Dialer{}).DialContext,
	}
	m, err := e.mechanism()
	if err != nil {
		return nil, nil, err
	}
	if err := e.open(); err != nil {
		return nil, nil, err
	}
	return how(e, b.config(onTokens, m)), e.end, nil
}
