package protocol

import "encoding/binary"

// A KeyValue is what differs from record to record in a run.
type KeyValue struct{ Key, Value []byte }

// A Run encodes records that differ in their values alone: they have no key and no headers, and the same timestamp. Record.Put
// writes what stands in front of a value byte by byte. Run writes it in two words, and keeps in registers what changes from
// record to record. That makes fewer stores. Stores leave a core in their order, so they all wait behind one to a line of
// memory that is far away.
type Run struct {
	timestampDelta int64
	shared         uint64 // the bytes of attributes and timestamp delta, least significant first
	sharedSize     int    // bytes of shared; 0 where they are too many
}

// What the two words have room for. The first has the body's length, attributes and timestamp delta, with 3, 1 and 4 bytes at
// most. The second has offset delta, key and the value's length, with 4, 1 and 3 bytes.
const (
	runDelta = 1 << 28    // both deltas are below, zig-zag
	runValue = 1<<20 - 32 // values are shorter, so that bodies are below 1<<20
)

// NewRun returns an encoder of records with that timestamp delta, in milliseconds.
func NewRun(timestampDelta int64) Run {
	r := Run{timestampDelta: timestampDelta}
	if delta := zigzag(timestampDelta); delta < runDelta {
		word, size := varintWord(delta)
		r.shared, r.sharedSize = word<<8, 1+size // attributes: none is defined
	}
	return r
}

// Put writes records at dst[at:], from the first on, which has that offset delta. It stops behind the one that ends at until or
// behind it, and before one that has a key or for which there is no room. It returns how many it has written, and the index
// behind them. It may change up to 16 bytes behind that index. A nil Value is null.
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

// putRare is Put for a record whose numbers do not fit the words, or where dst has no room for the words.
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

// varintWord returns the bytes of u, least significant first, and their number. u is below 2^28.
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
