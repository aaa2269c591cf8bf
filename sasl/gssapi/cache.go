package gssapi

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

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
	cache, err := parseCache(content)
	if err != nil {
		return tickets{}, fmt.Errorf("the credential cache %s cannot be read: %w", path, err)
	}
	who := cache.owner
	if l.cfg.Principal != "" && who.String() != l.who.String() {
		return tickets{}, fmt.Errorf("the credential cache %s is of %s, and Principal is %s", path, sasl.Quoted(who.String()), l.who)
	}
	read := tickets{who: who, services: map[string]*ticket{}}
	for _, entry := range cache.entries {
		t := &ticket{key: entry.key, start: entry.start, end: entry.end, renewTill: entry.until}
		if entry.start.Unix() <= 0 {
			t.start = entry.auth
		}
		if guarded("a ticket", func() error { return t.Unmarshal(entry.ticket) }) != nil {
			continue
		}
		l.schedule(t)
		name := entry.server.name.PrincipalNameString()
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
