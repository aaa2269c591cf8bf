package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/integration/identity"
	"github.com/epistle-kafka/epistle/producer"
)

// certificates are those of a client and of the brokers, and what each trusts, which all are replaced when an authority gives
// way to the next. Each step is followed by the loss of all connections, since what is open stays as it is.
type certificates struct {
	name     string // what the names of the authorities begin with
	dir      string // of the authorities
	brokers  brokerTLS
	hosts    []string // of the brokers
	mounted  mounted  // of the client
	cut      func()   // ends the client's connections
	dials    func() int
	now      *identity.Authority
	tomorrow time.Time
	number   int
	after    []int // how many connections were made after the last step of each turn
}

// brokerTLS is the brokers' side. Its methods return when the change is in force.
type brokerTLS interface {
	// trust has clients in that these authorities have issued certificates for, and no others.
	trust(ctx context.Context, authorities ...*identity.Authority) error
	// show has the brokers use the certificate broker.pem that this authority has issued.
	show(ctx context.Context, by *identity.Authority) error
}

// The files of a client, as a Kubernetes secret of type kubernetes.io/tls has them.
const (
	authorityFile   = "ca.crt"
	certificateFile = "tls.crt"
	keyFile         = "tls.key"
)

// A mounted is a directory with those files.
type mounted interface {
	path(name string) string
	put(files map[string][]byte) error
}

// begin makes the first authority, and both sides use its certificates.
func (c *certificates) begin(ctx context.Context) (err error) {
	c.tomorrow = time.Now().Add(24 * time.Hour)
	if c.now, err = c.authority(); err != nil {
		return err
	}
	if err := c.mount(c.now, c.now); err != nil {
		return err
	}
	if err := c.brokers.trust(ctx, c.now); err != nil {
		return err
	}
	return c.brokers.show(ctx, c.now)
}

// authority makes one, with certificates for a broker and for a client, in a directory of its own.
func (c *certificates) authority() (*identity.Authority, error) {
	c.number++
	name := fmt.Sprintf("%s-authority-%d", c.name, c.number)
	dir := filepath.Join(c.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	a, err := identity.NewAuthority(dir, name)
	if err != nil {
		return nil, err
	}
	if err := a.Broker("broker", c.tomorrow, c.hosts...); err != nil {
		return nil, err
	}
	return a, a.Client("client", c.tomorrow)
}

// mount gives the client the certificate of one authority, and lets it trust these.
func (c *certificates) mount(by *identity.Authority, trusted ...*identity.Authority) error {
	files := make(map[string][]byte)
	for _, a := range slices.Compact(trusted) {
		text, err := ownCertificate(a)
		if err != nil {
			return err
		}
		files[authorityFile] = append(files[authorityFile], text...)
	}
	for name, from := range map[string]string{certificateFile: "client.pem", keyFile: "client-key.pem"} {
		text, err := os.ReadFile(by.Path(from))
		if err != nil {
			return err
		}
		files[name] = text
	}
	return c.mounted.put(files)
}

// ownCertificate is an authority's, as PEM.
func ownCertificate(a *identity.Authority) ([]byte, error) {
	return os.ReadFile(a.Path(a.Certificate.Subject.CommonName + ".pem"))
}

// files are what a producer is told.
func (c *certificates) files() *producer.TLSFiles {
	return &producer.TLSFiles{TrustStore: c.mounted.path(authorityFile), Certificate: c.mounted.path(certificateFile), Key: c.mounted.path(keyFile)}
}

// settle is how long a producer is given to connect anew. It looks at its files once a second at most.
const settle = 3 * time.Second

func (c *certificates) rotation(name string, config producer.Config) *rotation {
	return &rotation{name: name, config: config, takes: 10 * settle, turn: c.turn, shown: c.shown}
}

// turn goes from one authority to the next without a moment at which one side shows what the other does not trust.
func (c *certificates) turn(ctx context.Context, _ int) error {
	old := c.now
	next, err := c.authority()
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	dials := 0
	for _, step := range []func() error{
		func() error { // both sides trust both
			if err := c.mount(old, old, next); err != nil {
				return err
			}
			return c.brokers.trust(bounded, old, next)
		},
		func() error { return c.brokers.show(bounded, next) },
		func() error { return c.mount(next, old, next) },
		func() error { return c.brokers.trust(bounded, next) }, // who shows the old one is shut out
		func() error { return c.mount(next, next) },
	} {
		if err := step(); err != nil {
			return err
		}
		dials = c.dials()
		c.cut()
		pause(ctx, settle)
	}
	c.now = next
	c.after = append(c.after, c.dials()-dials)
	return nil
}

func (c *certificates) shown(turns int) (string, error) {
	for i, n := range c.after[:turns] {
		if n == 0 {
			return "", fmt.Errorf("no connection was made after turn %d", i+1)
		}
	}
	return fmt.Sprintf("brokers took certificates of the newest of %d authorities alone", turns+1), nil
}

// A plainDir has files that are replaced by renaming others, one after the other.
type plainDir string

func (d plainDir) path(name string) string { return filepath.Join(string(d), name) }

func (d plainDir) put(files map[string][]byte) error {
	for name, text := range files {
		if err := os.WriteFile(d.path(name+".new"), text, 0o600); err != nil {
			return err
		}
		if err := os.Rename(d.path(name+".new"), d.path(name)); err != nil {
			return err
		}
	}
	return nil
}

// A secretDir is as Kubernetes mounts secrets: the files are links into ..data, which is a link to a directory and is replaced by
// another link, so that all of them change at once.
type secretDir struct {
	dir   string
	count int
}

func (d *secretDir) path(name string) string { return filepath.Join(d.dir, name) }

func (d *secretDir) put(files map[string][]byte) error {
	d.count++
	fresh, before := fmt.Sprintf("..%d", d.count), d.path(fmt.Sprintf("..%d", d.count-1))
	if err := os.Mkdir(d.path(fresh), 0o700); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(d.path(fresh), name), text, 0o600); err != nil {
			return err
		}
	}
	if err := os.Symlink(fresh, d.path("..tmp")); err != nil {
		return err
	}
	if err := os.Rename(d.path("..tmp"), d.path("..data")); err != nil {
		return err
	}
	if d.count > 1 {
		return os.RemoveAll(before)
	}
	for name := range files {
		if err := os.Symlink(filepath.Join("..data", name), d.path(name)); err != nil {
			return err
		}
	}
	return nil
}

// dialer opens a producer's connections, counts them, and can have them lost.
type dialer struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu    sync.Mutex // guards the following
	count int
	open  []net.Conn // since the last cut; some may be closed
}

func (d *dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	d.open = append(d.open, conn)
	return conn, nil
}

func (d *dialer) dials() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// cut ends all connections in both directions, as the other end would. What is on its way is lost.
func (d *dialer) cut() {
	d.mu.Lock()
	open := d.open
	d.open = nil
	d.mu.Unlock()
	for _, conn := range open {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseRead() // it may be closed already
			_ = tcp.CloseWrite()
		}
	}
}
