package gssapi

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/credentials"

	"github.com/epistle-kafka/epistle/sasl"
)

// readCache takes the tickets of the credential cache, if it has changed since. What it cannot read leaves in force what
// was read before: the file may be half written. The caller has the turn.
func (l *login) readCache() error {
	path := l.cfg.CredentialCache
	if path == "" {
		return nil
	}
	if _, changed := l.look(); !changed {
		if _, err := os.Stat(path); err != nil {
			return cacheError(path, err)
		}
		return nil
	}
	stamp := stampOf(path) // before the file is read: what is written meanwhile is read the next time
	read, err := l.loadCache(path)
	if err != nil {
		return err
	}
	l.who, l.known = read.who, true
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tickets, l.cacheStamp = read, stamp
	return nil
}

// loadCache reads a file. Tickets for others than the brokers are left out.
func (l *login) loadCache(path string) (tickets, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return tickets{}, cacheError(path, err)
	}
	var cache credentials.CCache
	// Clipped, since gokrb5 slices as far as the capacity goes.
	if guarded("the credential cache", func() error { return cache.Unmarshal(slices.Clip(content)) }) != nil {
		return tickets{}, fmt.Errorf("the credential cache %s cannot be read: it is cut short, or is none", path)
	}
	who := identity{cache.GetClientPrincipalName(), cache.GetClientRealm()}
	if l.cfg.Principal != "" && who.String() != l.who.String() {
		return tickets{}, fmt.Errorf("the credential cache %s is of %s, and Principal is %s", path, sasl.Quoted(who.String()), l.who)
	}
	read := tickets{who: who, services: map[string]*ticket{}}
	for _, entry := range cache.GetEntries() {
		t := &ticket{key: entry.Key, start: entry.StartTime, end: entry.EndTime, renewTill: entry.RenewTill}
		if entry.StartTime.Unix() <= 0 {
			t.start = entry.AuthTime
		}
		if guarded("a ticket", func() error { return t.Unmarshal(entry.Ticket) }) != nil {
			continue
		}
		l.schedule(t)
		name := entry.Server.PrincipalName.PrincipalNameString()
		if t.leadsTo() == who.realm {
			read.tgt = t
		} else if strings.HasPrefix(name, l.cfg.ServiceName+"/") && isAES(t.key.KeyType) {
			read.services[name] = t
		}
	}
	if read.tgt == nil && len(read.services) == 0 {
		return tickets{}, fmt.Errorf("the credential cache %s has no ticket", path)
	}
	return read, nil
}

func cacheError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no credential cache %s", path)
	}
	return fmt.Errorf("read the credential cache: %w", err)
}

// host is that of a service's principal.
func (t *ticket) host() string {
	if len(t.SName.NameString) != 2 {
		return ""
	}
	return t.SName.NameString[1]
}
