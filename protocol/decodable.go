package protocol

// decodable is a pointer to an element of an array.
type decodable[T any] interface {
	*T
	decode(*decoder)
}

// maxArray is how many elements one array may have, as in Kafka 4.4.
const maxArray = 1_000_000

// arrayLength reads the length of an array whose elements take at least minSize bytes each; -1 is null. A length that the rest
// of the input cannot hold is refused here, before anything is allocated.
func (d *decoder) arrayLength(minSize int) int {
	at := d.off
	n := d.length()
	switch {
	case n > maxArray:
		d.fail("array of %d elements at byte %d: at most %d are taken", n, at, maxArray)
	case n > 0 && n > d.left()/minSize:
		d.fail("array of %d elements at byte %d: they take at least %d bytes each, and %d are left", n, at, minSize, d.left())
	default:
		return n
	}
	return -1
}

func (d *decoder) int8s() []int8     { return decodeValues(d, 1, (*decoder).int8) }
func (d *decoder) int32s() []int32   { return decodeValues(d, 4, (*decoder).int32) }
func (d *decoder) strings() []string { return decodeValues(d, 1, (*decoder).string) }

// decodeValues reads an array of plain values. Length 0 is nil.
func decodeValues[T any](d *decoder, minSize int, read func(*decoder) T) []T {
	at := d.off
	n := d.present(d.arrayLength(minSize), at)
	if n == 0 {
		return nil
	}
	v := make([]T, n)
	for i := range v {
		v[i] = read(d)
	}
	return v
}

// nullableStrings reads an array of strings that may be null: null is nil, and length 0 is not.
func (d *decoder) nullableStrings() []string {
	n := d.arrayLength(1)
	if n < 0 {
		return nil
	}
	v := make([]string, n)
	for i := range v {
		v[i] = d.string()
	}
	return v
}

// decodeArray reads an array of structures that take at least minSize bytes each in every version. Length 0 is nil.
func decodeArray[T any, P decodable[T]](d *decoder, minSize int) []T {
	at := d.off
	n := d.present(d.arrayLength(minSize), at)
	if n == 0 {
		return nil
	}
	return decodeElements[T, P](d, n)
}

// decodeNullableArray is decodeArray for an array that may be null: null is nil, and length 0 is not.
func decodeNullableArray[T any, P decodable[T]](d *decoder, minSize int) []T {
	n := d.arrayLength(minSize)
	if n < 0 {
		return nil
	}
	return decodeElements[T, P](d, n)
}

func decodeElements[T any, P decodable[T]](d *decoder, n int) []T {
	v := make([]T, n)
	for i := range v {
		if d.err != nil {
			return nil
		}
		P(&v[i]).decode(d)
	}
	return v
}

// decodeInto reads the length of an array of structures that take at least minSize bytes each in every version. It returns that
// many elements for the caller to decode, in the memory of used if they fit. Length 0 is nil.
//
// The elements have the content that they had in used, so that their own slices can be used again. To decode one must set all
// of its fields.
func decodeInto[T any](d *decoder, minSize int, used []T) []T {
	at := d.off
	n := d.present(d.arrayLength(minSize), at)
	if n == 0 {
		return nil
	}
	used = used[:cap(used)]
	if n <= len(used) {
		return used[:n]
	}
	v := make([]T, n)
	copy(v, used)
	return v
}
