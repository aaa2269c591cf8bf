package protocol

import "encoding/binary"

// A KeyValue is what a record has of its own, besides what it shares with its
// neighbours.
type KeyValue struct{ Key, Value []byte }

// A Run encodes records that have a value of their own and nothing else: no key,
// no headers, and all the same timestamp. What Record.Put writes byte by byte in
// front of a value, it writes in two words, without a look at what cannot differ,
// and it keeps in registers what changes with each record. That is fewer stores:
// they leave a core in their order, so that all wait behind one to a line that has
// to come from afar first.
type Run struct {
	timestampDelta int64
	shared         uint64 // the bytes of attributes and timestamp delta, least significant first
	sharedSize     int    // bytes of shared; 0 where they are too many
}

// What the two words have room for: the body's length, attributes and timestamp
// delta are in the first, 3, 1 and 4 bytes at most; offset delta, key and the
// value's length are in the second, 4, 1 and 3 bytes.
const (
	runDelta = 1 << 28    // both deltas are below, zig-zag
	runValue = 1<<20 - 32 // values are shorter, so that bodies are below 1<<20
)

// NewRun returns the encoder of records with that timestamp delta, in milliseconds.
func NewRun(timestampDelta int64) Run {
	r := Run{timestampDelta: timestampDelta}
	if delta := zigzag(timestampDelta); delta < runDelta {
		word, size := varintWord(delta)
		r.shared, r.sharedSize = word<<8, 1+size // attributes: none is defined
	}
	return r
}

// Put writes the first of records, which have no key, at dst[at:], the first with
// that offset delta, until one ends at until or behind it, has a key, or has no
// room. It returns how many it has written, and the index behind them. Up to 16
// bytes behind them may be anything then. A Value of nil is null.
func (r *Run) Put(dst []byte, at int, offsetDelta int32, records []KeyValue, until int) (n, end int) {
	for n < len(records) && at < until && records[n].Key == nil {
		value := records[n].Value
		length := uint64(1) // -1, for null
		if value != nil {
			length = uint64(len(value)) << 1
		}
		offset := uint64(offsetDelta+int32(n)) << 1
		if r.sharedSize == 0 || offset >= runDelta || len(value) >= runValue || at+16 > len(dst) {
			end := r.putRare(dst, at, offsetDelta+int32(n), value)
			if end == at {
				break
			}
			at, n = end, n+1
			continue
		}
		second, m := varintWord(offset)
		lengthWord, lengthSize := varintWord(length)
		second |= (1 | lengthWord<<8) << (8 * m) // the key: null
		m += 1 + lengthSize
		body := r.sharedSize + m + len(value) + 1
		first, k := varintWord(uint64(body) << 1)
		end := at + k + body
		if end > len(dst) {
			break
		}
		binary.LittleEndian.PutUint64(dst[at:], first|r.shared<<(8*k))
		k += r.sharedSize
		binary.LittleEndian.PutUint64(dst[at+k:], second)
		dst[end-1] = 0 // headers
		copy(dst[at+k+m:end-1], value)
		at, n = end, n+1
	}
	return n, at
}

// putRare is Put for records whose numbers the words have no room for, or dst none
// for the words.
func (r *Run) putRare(dst []byte, at int, offsetDelta int32, value []byte) int {
	record := Record{OffsetDelta: offsetDelta, TimestampDelta: r.timestampDelta, Value: value}
	body := record.BodySize()
	end := at + RecordSize(body)
	if end > len(dst) {
		return at
	}
	record.Put(dst[:end], at, body)
	return end
}

// varintWord returns the bytes of u, below 2^28, least significant first, and how
// many they are.
func varintWord(u uint64) (word uint64, size int) {
	if u < 1<<7 {
		return u, 1
	}
	if u < 1<<14 {
		return u&0x7f | 0x80 | u>>7<<8, 2
	}
	if u < 1<<21 {
		return u&0x7f | u&0x3f80<<1 | u>>14<<16 | 0x8080, 3
	}
	return u&0x7f | u&0x3f80<<1 | u&0x1f_c000<<2 | u>>21<<24 | 0x80_8080, 4
}
