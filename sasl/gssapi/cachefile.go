package gssapi

import (
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/types"
)

// A cacheFile is what a credential cache in a file holds, as MIT's library documents the format ("Credential cache file format").
// It is read here and not by gokrb5: that one makes room for as many addresses as a damaged file says it has, and a process does
// not survive that.
type cacheFile struct {
	owner   identity
	entries []cacheEntry
}

// A cacheEntry is a ticket, still encoded, with its session key.
type cacheEntry struct {
	server                  identity
	key                     types.EncryptionKey
	auth, start, end, until time.Time // until: the KDC may renew it so long
	ticket                  []byte
}

var errNoCache = errors.New("it is cut short, or is none")

func parseCache(content []byte) (cacheFile, error) {
	r := &cacheReader{rest: content, order: binary.BigEndian}
	five := r.bytes(1)
	version := r.bytes(1)
	if r.short || five[0] != 5 || version[0] < 1 || version[0] > 4 {
		return cacheFile{}, errNoCache
	}
	if r.version = version[0]; r.version < 3 {
		r.order = binary.NativeEndian // that of whoever has written it, who is here as a rule
	}
	if r.version == 4 {
		r.bytes(r.number(2)) // a header, of fields that say nothing to us
	}
	file := cacheFile{owner: r.principal()}
	for len(r.rest) > 0 && !r.short {
		// Entries of this realm are settings of MIT's library.
		if e := r.entry(); !strings.HasPrefix(e.server.realm, "X-CACHECONF") {
			file.entries = append(file.entries, e)
		}
	}
	if r.short {
		return cacheFile{}, errNoCache
	}
	return file, nil
}

// A cacheReader reads one thing after the other. What would be beyond the end is nothing, and is noted.
type cacheReader struct {
	rest    []byte
	order   binary.ByteOrder
	version byte
	short   bool
}

func (r *cacheReader) bytes(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.rest, r.short = nil, true
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

// number reads a number of 1, 2 or 4 bytes.
func (r *cacheReader) number(size int) int {
	b := r.bytes(size)
	switch {
	case b == nil:
		return 0
	case size == 1:
		return int(b[0])
	case size == 2:
		return int(r.order.Uint16(b))
	}
	return int(r.order.Uint32(b)) // negative, where an int has 32 bits, is too many of whatever it counts
}

// count reads how many of something follow. Each has at least a byte.
func (r *cacheReader) count() int {
	n := r.number(4)
	if n < 0 || n > len(r.rest) {
		r.rest, r.short = nil, true
		return 0
	}
	return n
}

func (r *cacheReader) data() []byte { return r.bytes(r.number(4)) }

// time reads seconds since 1970, which go on beyond 2038.
func (r *cacheReader) time() time.Time {
	return time.Unix(int64(uint32(r.number(4))), 0)
}

func (r *cacheReader) principal() identity {
	var who identity
	if r.version != 1 {
		who.name.NameType = int32(r.number(4))
	}
	parts := r.count()
	if r.version == 1 {
		parts-- // the realm was counted
	}
	who.realm = string(r.data())
	for i := 0; i < parts && !r.short; i++ {
		who.name.NameString = append(who.name.NameString, string(r.data()))
	}
	return who
}

func (r *cacheReader) entry() (e cacheEntry) {
	r.principal() // the client
	e.server = r.principal()
	e.key.KeyType = int32(r.number(2))
	if r.version == 3 {
		r.number(2) // it is there twice
	}
	e.key.KeyValue = r.data()
	e.auth, e.start, e.end, e.until = r.time(), r.time(), r.time(), r.time()
	r.number(1) // whether the ticket is encrypted in another one's key
	r.number(4) // flags
	for range 2 {
		for i, n := 0, r.count(); i < n && !r.short; i++ { // addresses, and then authorization data
			r.number(2)
			r.data()
		}
	}
	e.ticket = r.data()
	r.data() // a second ticket
	return e
}
