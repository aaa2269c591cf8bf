package protocol

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// The Java client's bytes, read by us, are the values that it wrote; and so they are after another message was read into the
// same struct.
func TestGoldenDecode(t *testing.T) {
	used := map[string]Message{}
	eachGolden(t, func(t *testing.T, vector *goldenVector) {
		mustDecode(t, vector, vector.frame(), vector.newMessage())
		m := used[vector.file.Message]
		if m == nil {
			m = vector.newMessage()
		}
		used[vector.file.Message] = mustDecode(t, vector, vector.frame(), m)
	})
}

// The values that the Java client wrote give its bytes when we write them, whether we were told them or read them.
func TestGoldenEncode(t *testing.T) {
	eachGolden(t, func(t *testing.T, vector *goldenVector) {
		told, err := vector.value()
		if err != nil {
			t.Fatal(err)
		}
		mustEncode(t, vector, told)
		mustEncode(t, vector, mustDecode(t, vector, vector.frame(), vector.newMessage()))
	})
}

// A newer broker or client may send tagged fields that we have never heard of, anywhere. They are passed over.
func TestGoldenUnknownTags(t *testing.T) {
	eachGolden(t, func(t *testing.T, vector *goldenVector) {
		if flexible := vector.Version >= vector.newMessage().API().Flexible; flexible != (vector.UnknownTagsBody != nil) {
			t.Fatalf("flexible: got %t, want %t", flexible, !flexible)
		}
		if vector.UnknownTagsBody == nil {
			return
		}
		m := mustDecode(t, vector, vector.unknownTagsFrame(), vector.newMessage())
		mustEncode(t, vector, m)
	})
}

// A frame that ends early is refused wherever it ends.
func TestGoldenPrefixesRefused(t *testing.T) {
	eachGolden(t, func(t *testing.T, vector *goldenVector) {
		for _, frame := range [][]byte{vector.frame(), vector.unknownTagsFrame()} {
			for n := range frame {
				if m, err := vector.decode(frame[:n:n], vector.newMessage()); err == nil {
					t.Fatalf("the first %d of %d bytes: got %+v, want an error", n, len(frame), m)
				}
			}
		}
	})
}

// A frame with a byte too many is refused: that its length is wrong, or that we misread it, must not go by.
func TestGoldenExtraByteRefused(t *testing.T) {
	eachGolden(t, func(t *testing.T, vector *goldenVector) {
		for _, extra := range []byte{0, 1} {
			if m, err := vector.decode(append(vector.frame(), extra), vector.newMessage()); err == nil {
				t.Fatalf("with a byte %d after its end: got %+v, want an error", extra, m)
			}
		}
	})
}

// A request whose record batches go out by reference is, on the wire, the request as it is written in one piece.
func TestGoldenFrameByReference(t *testing.T) {
	eachGolden(t, func(t *testing.T, vector *goldenVector) {
		if !vector.file.request {
			return
		}
		m, err := vector.value()
		if err != nil {
			t.Fatal(err)
		}
		want := AppendRequest(nil, vector.header(), m.(Request))
		_, bufs, size := FrameRequest(nil, nil, vector.header(), m.(Request))
		if got := whole(bufs); !bytes.Equal(got, want) || size != len(want) {
			t.Errorf("size %d, bytes\n got %x\nwant %x", size, got, want)
		}
	})
}

// An array is refused if the bytes left cannot hold it. What an element is taken to need at the least must then be no more than
// it does need, in any version, wherever the array is.
func TestGoldenShortestElements(t *testing.T) {
	const count = 100
	eachGolden(t, func(t *testing.T, vector *goldenVector) {
		if vector.Variant != "empty" {
			return
		}
		for _, path := range vector.file.arrays() {
			shortest := *vector
			shortest.Fields = nested(path, count)
			m, err := shortest.value()
			if err != nil {
				t.Fatal(err)
			}
			frame, err := shortest.encode(m)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := shortest.decode(frame, shortest.newMessage()); err != nil {
				t.Errorf("%d elements of %q: %v", count, path, err)
			}
		}
	})
}

// arrays lists the paths of all arrays of structs.
func (f *goldenFile) arrays() (paths [][]string) {
	for path := range f.Defaults {
		names := strings.Split(path, ".")
		last := len(names) - 1
		if _, ok := f.Defaults[strings.Join(names[:last], ".")][names[last]].([]any); ok {
			paths = append(paths, names)
		}
	}
	return paths
}

// nested is a message with count structs that have no fields at path, and one on the way there.
func nested(path []string, count int) map[string]any {
	if len(path) > 1 {
		return map[string]any{path[0]: []any{nested(path[1:], count)}}
	}
	elements := make([]any, count)
	for i := range elements {
		elements[i] = map[string]any{}
	}
	return map[string]any{path[0]: elements}
}

func mustDecode(t *testing.T, vector *goldenVector, frame []byte, m Message) Message {
	t.Helper()
	want, err := vector.value()
	if err != nil {
		t.Fatal(err)
	}
	got, err := vector.decode(frame, m)
	if err != nil {
		t.Fatalf("%v\nframe %x", err, frame)
	}
	if all := differences(vector.file.Message, reflect.ValueOf(got).Elem(), reflect.ValueOf(want).Elem()); all != nil {
		t.Fatalf("%s\nframe %x", strings.Join(all, "\n"), frame)
	}
	return got
}

func mustEncode(t *testing.T, vector *goldenVector, m Message) {
	t.Helper()
	got, err := vector.encode(m)
	if err != nil {
		t.Fatal(err)
	}
	if want := vector.frame(); !bytes.Equal(got, want) {
		t.Fatalf("\n got %x\nwant %x", got, want)
	}
}
