package gssapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"

	"github.com/jcmturner/gokrb5/v8/config"
)

const (
	// refreshPatience bounds the fetch of a new ticket beside the connections.
	refreshPatience = 30 * time.Second

	// afterFailure is how long such a fetch waits after one that has failed. Java's is the same.
	afterFailure = 10 * time.Second

	// mostServices bounds the tickets that are kept, in number: one for each broker.
	mostServices = 10_000
)

// A login keeps the client's tickets, and has new ones fetched before the old ones end. It has no goroutine of its own: a
// connection that is made when a ticket should be replaced starts one, which ends within [refreshPatience].
type login struct {
	cfg   Config
	files []string // of krb5.conf

	// turn holds one token. Whoever has put it there talks to KDCs, and owns the fields below it.
	turn      chan struct{}
	net       network
	conf      *config.Config
	confStamp string
	who       identity // without a realm: not known before the credential cache has been read
	known     bool     // a login has succeeded
	refused   refusal
	nextFetch time.Time // no fetch beside the connections before

	mu         sync.Mutex // guards what follows; nothing is waited for under it
	tickets    tickets
	cacheStamp string // of the credential cache that tickets are from
}

// A refusal is the answer to a login that is not repeated before a time, as long as the keytab is the same.
type refusal struct {
	err    error
	until  time.Time
	keytab string // its stamp
}

// tickets are what is known at a time. The map is never changed: it is replaced.
type tickets struct {
	who      identity
	tgt      *ticket            // nil: none
	services map[string]*ticket // by the principal's name without its realm
}

func newLogin(cfg Config) (*login, error) {
	l := &login{cfg: cfg, files: krb5ConfFiles(cfg.Krb5Conf), turn: make(chan struct{}, 1)}
	l.net = network{dial: cfg.DialContext, resolve: net.DefaultResolver}
	if err := l.loadConf(); err != nil {
		return nil, err
	}
	if cfg.Principal != "" {
		name, realm := parsePrincipal(cfg.Principal)
		for _, candidate := range []string{cfg.Realm, l.conf.LibDefaults.DefaultRealm} {
			if realm == "" {
				realm = candidate
			}
		}
		if realm == "" {
			return nil, errors.New("the realm is not known: set Realm, or default_realm in krb5.conf")
		}
		l.who = identity{name, realm}
	}
	if cfg.Keytab != "" {
		if _, err := loadKeytab(cfg.Keytab, l.who); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// loadConf reads krb5.conf if it has changed. What cannot be read later leaves in force what was read before.
func (l *login) loadConf() error {
	stamp := ""
	for _, file := range l.files {
		stamp += stampOf(file)
	}
	if l.conf != nil && stamp == l.confStamp {
		return nil
	}
	conf, err := loadKrb5Conf(l.files)
	if err != nil {
		if l.conf != nil {
			return nil
		}
		return err
	}
	l.conf, l.confStamp = conf, stamp
	return nil
}

// stampOf tells whether a file is another than before; "" if it is not there.
func stampOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano(), ";")
}

// ticketFor returns a ticket for a service's host: one that is here if it is good, else a new one.
func (l *login) ticketFor(ctx context.Context, host string) (identity, *ticket, error) {
	now, name := time.Now(), l.cfg.ServiceName+"/"+host
	have, changed := l.look()
	if t := have.services[name]; t.valid(now) && !changed {
		if !now.Before(t.renew) || have.tgt.valid(now) && !now.Before(have.tgt.renew) {
			l.fetchBeside(now)
		}
		return have.who, t, nil
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return identity{}, nil, fmt.Errorf("another connection waits for the KDC: %w", context.Cause(ctx))
	}
	return l.fetch(ctx, host, name)
}

// look returns the tickets, and whether the credential cache is newer.
func (l *login) look() (have tickets, changed bool) {
	stamp := ""
	if l.cfg.CredentialCache != "" {
		stamp = stampOf(l.cfg.CredentialCache)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tickets, stamp != "" && stamp != l.cacheStamp
}

// keep replaces the tickets with what change makes of a copy of them.
func (l *login) keep(change func(*tickets)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.tickets
	next.services = maps.Clone(next.services)
	if next.services == nil || len(next.services) >= mostServices {
		next.services = map[string]*ticket{}
	}
	change(&next)
	l.tickets = next
}

// fetch is called by whoever has the turn.
func (l *login) fetch(ctx context.Context, host, name string) (identity, *ticket, error) {
	l.loadConf()
	cacheErr := l.readCache()
	have, _ := l.look()
	old, now := have.services[name], time.Now()
	if old.valid(now) && now.Before(old.renew) {
		return have.who, old, nil
	}
	tgt, err := l.grantingTicket(ctx, cacheErr)
	if err == nil {
		var t *ticket
		if t, err = l.serviceTicket(ctx, tgt, host, name); err == nil {
			return l.who, t, nil
		}
	}
	if old.valid(now) {
		return have.who, old, nil
	}
	return identity{}, nil, err
}

// hasKey says that the client can log in by itself.
func (l *login) hasKey() bool { return l.cfg.Keytab != "" || l.cfg.Password != "" }

func (l *login) client() *client { return &client{&l.net, l.conf, l.who} }

func (l *login) serviceTicket(ctx context.Context, tgt *ticket, host, name string) (*ticket, error) {
	t, err := l.client().serviceTicket(ctx, tgt, l.cfg.ServiceName, host)
	if err != nil {
		if spent(err) && l.hasKey() {
			l.keep(func(next *tickets) { next.tgt = nil })
		}
		return nil, l.explain(err, l.known)
	}
	l.schedule(t)
	l.keep(func(next *tickets) { next.services[name] = t })
	return t, nil
}

// grantingTicket returns the ticket-granting ticket, after a login if there is none that is good.
func (l *login) grantingTicket(ctx context.Context, cacheErr error) (*ticket, error) {
	have, _ := l.look()
	now := time.Now()
	if have.tgt.valid(now) {
		return have.tgt, nil
	}
	if !l.hasKey() {
		if cacheErr == nil && have.tgt == nil {
			cacheErr = fmt.Errorf("the credential cache %s has no ticket-granting ticket of %s", l.cfg.CredentialCache, l.who)
		} else if cacheErr == nil {
			cacheErr = fmt.Errorf("the tickets of the credential cache %s ended at %s", l.cfg.CredentialCache, have.tgt.end.Format(time.RFC3339))
		}
		return nil, fmt.Errorf("%w (run kinit, or use a keytab)", cacheErr)
	}
	return l.byKey(ctx)
}

// byKey logs in by keytab or password.
func (l *login) byKey(ctx context.Context) (*ticket, error) {
	now := time.Now()
	stamp := stampOf(l.cfg.Keytab)
	if now.Before(l.refused.until) && stamp == l.refused.keytab {
		return nil, l.refused.err
	}
	key := secret{password: l.cfg.Password}
	if l.cfg.Keytab != "" {
		var err error
		if key.keytab, err = loadKeytab(l.cfg.Keytab, l.who); err != nil {
			return nil, err
		}
	}
	tgt, err := l.client().authenticate(ctx, key)
	if err != nil {
		err = fmt.Errorf("log in as %s: %w", l.who, err)
		err = l.explain(err, l.known)
		if locks(err) {
			l.refused = refusal{err, now.Add(l.cfg.MinTimeBeforeRelogin), stamp}
		}
		return nil, err
	}
	l.known = true
	l.schedule(tgt)
	l.keep(func(next *tickets) { next.who, next.tgt = l.who, tgt })
	return tgt, nil
}

// schedule says when the ticket is to be replaced (KIP-12; Java's KerberosLogin).
func (l *login) schedule(t *ticket) {
	part := min(l.cfg.RenewWindowFactor+l.cfg.RenewJitter*rand.Float64(), 1)
	t.renew = t.start.Add(time.Duration(part * float64(t.end.Sub(t.start))))
}

// fetchBeside has new tickets fetched by a goroutine of its own, while the old ones are used. There is never more than one.
func (l *login) fetchBeside(now time.Time) {
	select {
	case l.turn <- struct{}{}:
	default:
		return // somebody is at it
	}
	if now.Before(l.nextFetch) {
		<-l.turn
		return
	}
	go func() {
		defer func() { <-l.turn }()
		ctx, cancel := context.WithTimeout(context.Background(), refreshPatience)
		defer cancel()
		wait := l.cfg.MinTimeBeforeRelogin
		if !l.replace(ctx) {
			wait = min(wait, afterFailure)
		}
		l.nextFetch = time.Now().Add(wait)
	}()
}

// replace fetches anew all tickets that are to be replaced, and drops those that have ended. It says whether it got them all.
func (l *login) replace(ctx context.Context) bool {
	l.loadConf()
	l.readCache() // its errors matter when its tickets have ended
	have, _ := l.look()
	now, tgt := time.Now(), have.tgt
	if !tgt.valid(now) || !now.Before(tgt.renew) {
		var err error
		if l.hasKey() {
			tgt, err = l.byKey(ctx)
		} else if l.cfg.RenewTickets && tgt.valid(now) && now.Before(tgt.renewTill) {
			tgt, err = l.renew(ctx, tgt)
		}
		if err != nil {
			return false
		}
	}
	all := true
	for name, t := range have.services {
		if !t.valid(now) {
			l.keep(func(next *tickets) { delete(next.services, name) })
		} else if host := t.host(); !now.Before(t.renew) && tgt.valid(now) && host != "" {
			_, err := l.serviceTicket(ctx, tgt, host, name)
			all = all && err == nil
		}
	}
	return all
}

// renew has the KDC prolong a ticket-granting ticket (RFC 4120 §3.3, RENEW).
func (l *login) renew(ctx context.Context, tgt *ticket) (*ticket, error) {
	next, err := l.client().grant(ctx, l.who.realm, tgt, krbtgt(l.who.realm), true, false)
	if err != nil {
		return nil, err
	}
	l.schedule(next)
	l.keep(func(t *tickets) { t.tgt = next })
	return next, nil
}

// forget drops a ticket that a broker has refused: its key may have been changed since.
func (l *login) forget(name string, refused *ticket) {
	l.keep(func(next *tickets) {
		if next.services[name] == refused {
			delete(next.services, name)
		}
	})
}
