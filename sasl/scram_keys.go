package sasl

import (
	"crypto/pbkdf2"
	"fmt"
	"hash"
	"sync"
)

// mostScramKeys bounds a cache. A user has one salt in a whole cluster, and a delegation token one in each broker.
const mostScramKeys = 128

// A scramCache keeps the results of the many rounds of hashing. So a renewed session, or a connection to a further broker,
// costs only a few hashes. It may be used concurrently.
type scramCache struct {
	hash func() hash.Hash

	mu    sync.Mutex
	known map[scramInput]scramKeys
	order []scramInput // the oldest first
}

type scramInput struct {
	password, salt string
	iterations     int
}

// scramKeys prove to a broker who the client is, and to the client who the broker is. They are never modified.
type scramKeys struct{ client, server []byte }

// keys computes without the lock. If two exchanges need the same keys at once, both do the work, and neither waits.
func (c *scramCache) keys(password sealed, salt string, iterations int) (scramKeys, error) {
	input := scramInput{password(), salt, iterations}
	c.mu.Lock()
	keys, found := c.known[input]
	c.mu.Unlock()
	if found {
		return keys, nil
	}
	salted, err := pbkdf2.Key(c.hash, input.password, []byte(salt), iterations, c.hash().Size())
	if err != nil { // such as FIPS 140-3 only mode with a salt below 16 bytes
		return scramKeys{}, fmt.Errorf("the password cannot be hashed: %w", err)
	}
	keys = scramKeys{mac(c.hash, salted, "Client Key"), mac(c.hash, salted, "Server Key")}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, found := c.known[input]; found {
		return keys, nil
	}
	if c.known == nil {
		c.known = map[scramInput]scramKeys{}
	}
	if len(c.order) == mostScramKeys {
		delete(c.known, c.order[0])
		c.order = append(c.order[:0], c.order[1:]...)
	}
	c.known[input] = keys
	c.order = append(c.order, input)
	return keys, nil
}
