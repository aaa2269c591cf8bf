package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/integration/identity"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// rotates demands that a rotation that has time for some turns breaks no promise.
func rotates(t *testing.T, s *soak, r *rotation, turns int) *rotated {
	t.Helper()
	turned, err := s.rotate(t.Context(), r, lead+time.Duration(turns)*r.takes+time.Second)
	do(t, err)
	holds(t, turned.broken())
	if turned.turns < turns || turned.found.Read != turned.sent {
		t.Errorf("%d turns, want %d at least; %d records read back of %d", turned.turns, turns, turned.found.Read, turned.sent)
	}
	t.Logf("%s: %d turns, %d sent again, pause %v, %s", r.name, turned.turns, turned.stats.Retried, turned.pause, turned.shown)
	return turned
}

func TestRotatePassword(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newMemory(t)
		set := func(_ context.Context, password string) error {
			m.ending.SetPassword("SCRAM-SHA-256", user, password)
			return nil
		}
		p, err := newPasswords(t.TempDir(), firstPassword, testLifetime, set)
		do(t, err)
		turned := rotates(t, m.soak(), p.rotation(to(m.ending, sasl.ScramSHA256From(p.credentials(user)))), 4)
		if turned.pause < time.Second {
			t.Errorf("the longest pause is %v: where the file was later than the end of the session, the producer was not shut out", turned.pause)
		}
	})
}

// A producer that reads its password once is found out.
func TestRotatePasswordThatIsReadOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newMemory(t)
		set := func(_ context.Context, password string) error {
			m.ending.SetPassword("SCRAM-SHA-256", user, password)
			return nil
		}
		p, err := newPasswords(t.TempDir(), firstPassword, testLifetime, set)
		do(t, err)
		cfg := byPassword(m.ending)
		cfg.DeliveryTimeout, cfg.RequestTimeout = 20*time.Second, 5*time.Second
		r := p.rotation(cfg)
		turned, err := m.soak().rotate(t.Context(), r, lead+2*r.takes+time.Second)
		do(t, err)
		isBroken(t, turned.broken(), "records failed")
		isBroken(t, turned.broken(), "the password of turn 1 was never used")
	})
}

// A turn that takes longer than it should is not cut off: records flow until it is over.
func TestRotationIsLate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newMemory(t)
		over := false
		r := &rotation{name: "late", config: byPassword(m.lasting), takes: 5 * time.Second,
			turn: func(ctx context.Context, _ int) error {
				pause(ctx, 20*time.Second)
				over = ctx.Err() == nil
				return nil
			},
			shown: func(int) (string, error) { return "it was", nil }}
		turned, err := m.soak().rotate(t.Context(), r, 10*time.Second)
		do(t, err)
		holds(t, turned.broken())
		if !over || turned.turns != 1 || turned.took != 20*time.Second {
			t.Errorf("over %v, %d turns, %v measured; want the whole turn", over, turned.turns, turned.took)
		}
	})
}

// tlsBrokers is brokerTLS in memory.
type tlsBrokers struct {
	mu     sync.Mutex // guards the following
	config tls.Config
}

func (b *tlsBrokers) now(*tls.ClientHelloInfo) (*tls.Config, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.config.Clone(), nil
}

func (b *tlsBrokers) trust(_ context.Context, authorities ...*identity.Authority) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.config.ClientAuth, b.config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	for _, a := range authorities {
		b.config.ClientCAs.AddCert(a.Certificate)
	}
	return nil
}

func (b *tlsBrokers) show(_ context.Context, by *identity.Authority) error {
	pair, err := tls.LoadX509KeyPair(by.Path("broker.pem"), by.Path("broker-key.pem"))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.config.Certificates = []tls.Certificate{pair}
	return err
}

// mutual is a world whose brokers want certificates, and what is to be replaced there.
func mutual(t *testing.T, dir mounted) (*memory, *certificates, producer.Config) {
	b := &tlsBrokers{}
	m := &memory{t: t, lasting: brokertest.New(t, brokertest.InMemory(), brokertest.Delay(2*time.Millisecond), brokertest.TLS(&tls.Config{GetConfigForClient: b.now}))}
	m.ending = brokertest.New(t, brokertest.InMemory())
	d := &dialer{dial: m.lasting.DialContext}
	c := &certificates{name: "test", dir: t.TempDir(), brokers: b, hosts: []string{"192.0.2.1"}, mounted: dir, dials: d.dials,
		cut: func() { m.lasting.CutConnections(1, true) }}
	do(t, c.begin(t.Context()))
	cfg := producer.DefaultConfig(m.lasting.Bootstrap()...)
	cfg.TLSFiles, cfg.DialContext = c.files(), d.DialContext
	return m, c, cfg
}

func TestRotateCertificates(t *testing.T) {
	for name, dir := range map[string]func(t *testing.T) mounted{
		"renamed": func(t *testing.T) mounted { return plainDir(t.TempDir()) },
		"mounted": func(t *testing.T) mounted { return &secretDir{dir: t.TempDir()} },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				m, c, cfg := mutual(t, dir(t))
				rotates(t, m.soak(), c.rotation(name, cfg), 2)
			})
		})
	}
}

// A producer that goes on with the files that it has read at first is found out.
func TestRotateCertificatesThatAreReadOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, c, cfg := mutual(t, plainDir(t.TempDir()))
		pair, err := tls.LoadX509KeyPair(c.mounted.path(certificateFile), c.mounted.path(keyFile))
		do(t, err)
		roots := x509.NewCertPool()
		roots.AddCert(c.now.Certificate)
		cfg.TLSFiles, cfg.TLS = nil, &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots}
		cfg.DeliveryTimeout, cfg.RequestTimeout = 10*time.Second, 5*time.Second
		turned, err := m.soak().rotate(t.Context(), c.rotation("once", cfg), 40*time.Second)
		do(t, err)
		isBroken(t, turned.broken(), "records failed")
	})
}

// Both kinds of directories have the files that were put there last, and no others that would add up.
func TestMounted(t *testing.T) {
	for _, dir := range []mounted{plainDir(t.TempDir()), &secretDir{dir: t.TempDir()}} {
		for _, text := range []string{"first", "second", "third"} {
			do(t, dir.put(map[string][]byte{certificateFile: []byte(text), keyFile: []byte("key of " + text)}))
			for name, want := range map[string]string{certificateFile: text, keyFile: "key of " + text} {
				if got, err := os.ReadFile(dir.path(name)); string(got) != want || err != nil {
					t.Errorf("%s is %q and %v, want %q", name, got, err, want)
				}
			}
		}
		entries, err := os.ReadDir(strings.TrimSuffix(dir.path(""), "/"))
		do(t, err)
		if len(entries) > 4 { // two names, a link and a directory
			t.Errorf("%d entries are left", len(entries))
		}
	}
}

// pipes is a network of connections in memory.
type pipes struct {
	mu        sync.Mutex // guards the following
	listeners map[string]*pipeListener
	count     int
}

type pipeListener struct {
	name   pipeName
	come   chan net.Conn
	closed chan struct{}
	once   sync.Once
}

type pipeName string

func (pipeName) Network() string  { return "pipe" }
func (n pipeName) String() string { return string(n) }

func (p *pipes) listen() (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	l := &pipeListener{name: pipeName(strings.Repeat("i", p.count)), come: make(chan net.Conn), closed: make(chan struct{})}
	if p.listeners == nil {
		p.listeners = make(map[string]*pipeListener)
	}
	p.listeners[string(l.name)] = l
	return l, nil
}

func (p *pipes) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	p.mu.Lock()
	l := p.listeners[addr]
	p.mu.Unlock()
	if l == nil {
		return nil, errors.New("connection refused")
	}
	here, there := net.Pipe()
	select {
	case l.come <- there:
		return here, nil
	case <-l.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Addr() net.Addr { return l.name }

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.come:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func TestRotateTokens(t *testing.T) {
	provider, err := identity.NewProvider()
	do(t, err)
	for name, how := range map[string]func(*tokenEndpoint, producer.Config) *rotation{
		"the endpoint moves": (*tokenEndpoint).moves, "the endpoint is down": (*tokenEndpoint).outages,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				m := newMemory(t)
				m.ending = brokertest.New(t, brokertest.InMemory(), brokertest.Delay(2*time.Millisecond), brokertest.AutoCreate(false),
					brokertest.SASL(brokertest.OAuthBearer(func(string) error { return nil })))
				network := &pipes{}
				e := &tokenEndpoint{provider: provider, life: 10 * time.Second, listen: network.listen, dial: network.dial}
				mechanism, err := e.mechanism()
				do(t, err)
				do(t, e.open())
				defer e.end()
				turned := rotates(t, m.soak(), how(e, to(m.ending, mechanism)), 4)
				if turned.stats.Reauthentications < 4 {
					t.Errorf("%d re-authentications", turned.stats.Reauthentications)
				}
			})
		})
	}
}
