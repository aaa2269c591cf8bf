package driver

import (
	"fmt"
	"math/rand/v2"
	"os"
)

// Seed is that of all values and keys.
const Seed = 20_260_917

// RingBytes is the size of all values by default: more than a processor's second-level cache, and less than what counts in a
// peak of resident memory.
const RingBytes = 4 << 20

// A Ring is values of one size, to be sent in turn.
type Ring struct {
	bytes []byte
	size  int
	n     int // of them; kept, since a division for each record would be measured with every client
}

// newRing returns a ring of the values in bytes, which stand end to end; a ring of one nil value for size 0.
func newRing(bytes []byte, size int) *Ring {
	if size == 0 {
		return &Ring{n: 1}
	}
	return &Ring{bytes, size, len(bytes) / size}
}

// Len is the number of values.
func (r *Ring) Len() int { return r.n }

// At is one of them, nil from a ring of size 0.
func (r *Ring) At(i int) []byte {
	if r.size == 0 {
		return nil
	}
	return r.bytes[i*r.size : (i+1)*r.size : (i+1)*r.size]
}

var (
	kinds     = []string{"click", "view", "purchase", "refund", "login", "logout", "search", "share"}
	countries = []string{"DE", "FR", "US", "BR", "IN", "JP", "NG", "PL", "SE", "VN"}
	words     = []string{
		"basket", "checkout", "home", "offer", "search", "profile", "orders", "help", "stock", "voucher", "review", "wish",
		"mobile", "tablet", "desktop", "north", "south", "harbour", "garden", "winter", "summer", "cotton", "copper", "linen",
	}
)

// Values returns JSON-like events of exactly that size, no more than that many bytes, the same ones for the same size.
func Values(size, most int) *Ring {
	random := rand.New(rand.NewPCG(Seed, uint64(size)))
	bytes := make([]byte, 0, most)
	for i := 0; len(bytes)+size <= most; i++ {
		end := len(bytes) + size
		bytes = fmt.Appendf(bytes, `{"id":%d,"user":"u%06d","kind":%q,"country":%q,"amount":%d.%02d,"at":%d`,
			i, random.IntN(200_000), kinds[random.IntN(len(kinds))], countries[random.IntN(len(countries))],
			random.IntN(500), random.IntN(100), 1_790_000_000_000+int64(i)*7)
		for n := 0; len(bytes) < end; n++ {
			bytes = fmt.Appendf(bytes, `,"%s%d":"%s-%x"`, words[random.IntN(len(words))], n, words[random.IntN(len(words))], random.Uint32())
		}
		bytes = bytes[:end]
		bytes[end-1] = '}'
	}
	return newRing(bytes, size)
}

// Keys returns keys of exactly that size, at most 65,536 of them.
func Keys(size int) *Ring {
	if size == 0 {
		return newRing(nil, 0)
	}
	random := rand.New(rand.NewPCG(Seed, uint64(size)))
	var bytes []byte
	for range min(1<<16, RingBytes/size) {
		end := len(bytes) + size
		for len(bytes) < end {
			bytes = fmt.Appendf(bytes, "user-%011d", random.IntN(1<<30))
		}
		bytes = bytes[:end]
	}
	return newRing(bytes, size)
}

// WriteFile writes the ring for drivers to load.
func (r *Ring) WriteFile(path string) error { return os.WriteFile(path, r.bytes, 0o666) }

// readRing reads a ring from a file, or generates it where there is none.
func readRing(path string, size int, generate func(int) *Ring) (*Ring, error) {
	if path == "" || size == 0 {
		return generate(size), nil
	}
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(bytes) < size {
		return nil, fmt.Errorf("%s holds no value of %d bytes", path, size)
	}
	return newRing(bytes[:len(bytes)/size*size], size), nil
}

// Rings returns the values and keys of a load, from their files or generated.
func (o *Options) Rings() (values, keys *Ring, err error) {
	some := func(size int) *Ring { return Values(size, RingBytes) }
	if values, err = readRing(o.Values, o.ValueSize, some); err != nil {
		return nil, nil, err
	}
	keys, err = readRing(o.Keys, o.KeySize, Keys)
	return values, keys, err
}
