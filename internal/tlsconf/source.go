package tlsconf

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"log/slog"
	"sync"
	"time"
)

const (
	// lookEvery is how often files are read at most. They are read when a connection is made, so that brokers that come back
	// all at once cause one look.
	lookEvery = time.Second
	// settle is how long unreadable files are given before they count as bad: they may be half written, or be replaced one
	// after the other.
	settle = 100 * time.Millisecond
	// patience is how long a connection waits for a look. A file system that does not answer must not keep brokers away.
	patience = 2 * time.Second
)

// Source has the certificates of files, as they are now. All methods may be called concurrently.
type Source struct {
	files Files

	mu      sync.Mutex // guards the following; never held while blocking
	log     *slog.Logger
	current material
	seen    [2][sha256.Size]byte // what was last looked at, trust store and key store, good or bad
	looked  time.Time
	looking chan struct{} // closed when the look that is under way is over; nil if none is
}

// Open reads the files. What is wrong with them is returned, and then there is no Source.
func Open(files Files) (*Source, []Notice, []Problem) {
	if problems := files.check(); len(problems) > 0 {
		return nil, nil, problems
	}
	trust, keys, now := files.trustStore().read(), files.keyStore().read(), time.Now()
	first := files.load(trust, keys, now)
	if len(first.problems) > 0 {
		return nil, first.notices, first.problems
	}
	s := &Source{files: files, log: slog.New(slog.DiscardHandler), current: first.material, looked: now}
	s.seen[0], s.seen[1] = trust.sum(), keys.sum()
	return s, first.notices, nil
}

// LogTo sets the log for changes of files. Its handler must not block.
func (s *Source) LogTo(log *slog.Logger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = log
}

// LogNotices logs what is odd about certificates that are used all the same.
func LogNotices(log *slog.Logger, notices []Notice) {
	for _, n := range notices {
		log.Warn("TLS certificates need attention", "setting", n.Key, "notice", n.Text)
	}
}

// Prepare puts the certificates that the files have now into own, a configuration that is used for one connection alone. They
// replace those that it has. It returns who is trusted, in words; "" if none of the files is a trust store.
//
// It reads the files again if nobody did within the last second. It waits for that until ctx ends, and for two seconds at most.
func (s *Source) Prepare(ctx context.Context, own *tls.Config) (trusted string) {
	m := s.now(ctx)
	if m.roots != nil {
		own.RootCAs = m.roots
	}
	if len(m.pairs) > 0 {
		// Package tls takes the first certificate that suits the algorithms and the authorities that the server names, and none
		// if none suits. Java does so, too: a server that only asks for a certificate lets the client in without one.
		own.Certificates, own.GetClientCertificate = m.pairs, nil
	}
	if s.files.SkipHostName {
		skipHostName(own)
	}
	return m.trusted
}

// skipHostName makes own verify the chain of certificates but not the host name. InsecureSkipVerify alone would skip both.
// VerifyConnection is called for resumed sessions too.
func skipHostName(own *tls.Config) {
	roots, also, now := own.RootCAs, own.VerifyConnection, own.Time
	if now == nil {
		now = time.Now
	}
	own.InsecureSkipVerify = true
	own.VerifyConnection = func(state tls.ConnectionState) error {
		if err := verifyChain(roots, state, now()); err != nil {
			return err
		}
		if also != nil {
			return also(state)
		}
		return nil
	}
}

// now returns what the files have. It reads them if it is time to.
func (s *Source) now(ctx context.Context) material {
	s.mu.Lock()
	if now := time.Now(); s.looking == nil && now.Sub(s.looked) >= lookEvery {
		s.looked, s.looking = now, make(chan struct{})
		go s.look(s.looking)
	}
	looking := s.looking
	s.mu.Unlock()
	if looking != nil {
		bound := time.NewTimer(patience)
		select {
		case <-looking:
		case <-bound.C:
		case <-ctx.Done():
		}
		bound.Stop()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// look reads the files, and takes over what is in them if they have changed and are good. There is one look at a time.
func (s *Source) look(over chan struct{}) {
	s.mu.Lock()
	seen := s.seen
	s.mu.Unlock()

	fresh := s.read(seen)
	if len(fresh.problems) > 0 {
		time.Sleep(settle)
		fresh = s.read(seen)
	}

	s.mu.Lock()
	s.seen, s.looking = fresh.sums, nil
	if fresh.trustChanged && !fresh.badTrust {
		s.current.roots, s.current.trusted = fresh.roots, fresh.trusted
	}
	if fresh.keysChanged && !fresh.badKeys {
		s.current.pairs = fresh.pairs
	}
	log := s.log
	s.mu.Unlock()
	fresh.tell(log)
	close(over)
}

// change is what a look has found.
type change struct {
	loaded
	sums                      [2][sha256.Size]byte
	trustChanged, keysChanged bool
}

// read loads the files whose contents have changed. The stores do not wait for each other: a key store that stays bad must not
// keep out a new authority.
func (s *Source) read(seen [2][sha256.Size]byte) change {
	trust, keys := s.files.trustStore().read(), s.files.keyStore().read()
	c := change{sums: [2][sha256.Size]byte{trust.sum(), keys.sum()}}
	c.trustChanged, c.keysChanged = c.sums[0] != seen[0], c.sums[1] != seen[1]
	if c.trustChanged {
		c.loadTrust(s.files.trustStore(), trust, s.files.TrustStorePassword, time.Now())
	}
	if c.keysChanged {
		c.loadKeys(s.files.keyStore(), keys, s.files.KeyStorePassword, s.files.KeyPassword, time.Now())
	}
	return c
}

// tell logs what became of a change, once for each.
func (c *change) tell(log *slog.Logger) {
	for _, p := range c.problems {
		log.Warn("TLS files have changed and cannot be used", "setting", p.Key, "problem", p.Rule)
	}
	if c.trustChanged && !c.badTrust {
		log.Info("TLS files have changed", "trusted", c.trusted)
	}
	if c.keysChanged && !c.badKeys {
		leaf := c.pairs[0].Leaf
		log.Info("TLS files have changed", "certificate", leaf.Subject.String(), "until", leaf.NotAfter)
	}
	LogNotices(log, c.notices)
}
