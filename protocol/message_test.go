package protocol

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// everyMessage runs f for every version of every request and response.
func everyMessage(t *testing.T, f func(t *testing.T, version int16, newMessage func() Message)) {
	for _, newRequest := range newRequests {
		api := newRequest().API()
		for version := api.Min; version <= api.Max; version++ {
			t.Run(fmt.Sprintf("%s/request/v%d", api.Name, version), func(t *testing.T) {
				f(t, version, func() Message { return newRequest() })
			})
			t.Run(fmt.Sprintf("%s/response/v%d", api.Name, version), func(t *testing.T) {
				f(t, version, func() Message { return newRequest().NewResponse() })
			})
		}
	}
}

// encodeFrame is a whole frame without its length.
func encodeFrame(version int16, m Message) []byte {
	if request, ok := m.(Request); ok {
		client := "a client"
		return AppendRequest(nil, RequestHeader{Version: version, CorrelationID: 7, ClientID: &client}, request)[4:]
	}
	return AppendResponse(nil, version, 7, m.(Response))[4:]
}

// decodeFrame reads what encodeFrame wrote. For a response, m says which.
func decodeFrame(frame []byte, version int16, m Message) (Message, error) {
	if response, ok := m.(Response); ok {
		_, err := DecodeResponse(frame, version, response)
		return response, err
	}
	_, request, err := DecodeRequest(frame)
	return request, err
}

// filler fills messages with random values.
type filler struct {
	*rand.Rand
	full bool // nothing is zero, null or empty
	most int  // elements of an array and characters of a string; 0 = enough for all forms of lengths
}

func (r filler) message(newMessage func() Message) Message {
	m := newMessage()
	r.fill(reflect.ValueOf(m).Elem())
	return m
}

func (r filler) fill(v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *time.Duration:
		*p = time.Duration(1+r.Int32N(1<<30)) * time.Millisecond
		return
	case *ErrorCode:
		// UnsupportedVersion would make an answer of ApiVersions one of v0.
		for *p == NoError || *p == UnsupportedVersion {
			*p = ErrorCode(r.Uint32())
		}
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.full || r.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> (64 - v.Type().Bits()))
		if v.IsZero() && r.full {
			v.SetInt(1)
		}
	case reflect.Uint8:
		v.SetUint(1 + r.Uint64N(255))
	case reflect.String:
		v.SetString(strings.Repeat("é", r.length(90)))
	case reflect.Pointer:
		if r.full || r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			r.fill(v.Elem())
		}
	case reflect.Slice:
		if !r.full && r.IntN(4) == 0 {
			return
		}
		n := r.length(3)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			r.fill(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			r.fill(v.Field(i))
		}
	default:
		panic("no random " + v.Type().String())
	}
}

func (r filler) length(limit int) int {
	if r.most > 0 {
		limit = r.most
	}
	if r.full {
		return 1 + r.IntN(limit)
	}
	return r.IntN(limit + 1)
}

// What was read is written back as it came, and read the same again: whatever is random, null or empty in it.
func TestRoundTrip(t *testing.T) {
	everyMessage(t, func(t *testing.T, version int16, newMessage func() Message) {
		for seed := range uint64(30) {
			r := filler{Rand: rand.New(rand.NewPCG(seed, uint64(version)))}
			frame := encodeFrame(version, r.message(newMessage))
			first, err := decodeFrame(frame, version, newMessage())
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			again := encodeFrame(version, first)
			if string(again) != string(frame) {
				t.Fatalf("seed %d: written again\ngot  %x\nwant %x", seed, again, frame)
			}
			used := r.message(newMessage) // left from another use
			second, err := decodeFrame(again, version, used)
			if err != nil || !reflect.DeepEqual(first, second) {
				t.Fatalf("seed %d: read again\ngot  %+v, %v\nwant %+v", seed, second, err, first)
			}
		}
	})
}

// A field that no version carries would be lost in silence. Each is carried, unchanged, by one version at least.
func TestEveryFieldIsCarried(t *testing.T) {
	carried := map[string]bool{}
	types := map[reflect.Type]bool{}
	everyMessage(t, func(t *testing.T, version int16, newMessage func() Message) {
		want := filler{Rand: rand.New(rand.NewPCG(1, 2)), full: true}.message(newMessage)
		got, err := decodeFrame(encodeFrame(version, want), version, newMessage())
		if err != nil {
			t.Fatal(err)
		}
		types[reflect.TypeOf(want).Elem()] = true
		markCarried(carried, reflect.ValueOf(got).Elem(), reflect.ValueOf(want).Elem())
	})
	for typ := range types {
		checkCarried(t, carried, typ)
	}
}

// markCarried marks the fields of got that are those of want, by struct type and field name.
func markCarried(carried map[string]bool, got, want reflect.Value) {
	for i := range want.NumField() {
		g, w := got.Field(i), want.Field(i)
		if isStructs(w.Type()) {
			for j := range min(g.Len(), w.Len()) {
				markCarried(carried, g.Index(j), w.Index(j))
			}
		}
		if w.Type() == reflect.TypeFor[[][]byte]() && g.Len() == 1 { // the chunks of a batch become one
			w = reflect.ValueOf([][]byte{[]byte(strings.Join(toStrings(w.Interface().([][]byte)), ""))})
		}
		if reflect.DeepEqual(g.Interface(), w.Interface()) {
			carried[want.Type().Name()+"."+want.Type().Field(i).Name] = true
		}
	}
}

func checkCarried(t *testing.T, carried map[string]bool, typ reflect.Type) {
	for i := range typ.NumField() {
		field := typ.Field(i)
		if isStructs(field.Type) {
			checkCarried(t, carried, field.Type.Elem())
		} else if name := typ.Name() + "." + field.Name; !carried[name] {
			t.Errorf("%s: no version carries it", name)
		}
	}
}

func isStructs(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct
}

func toStrings(chunks [][]byte) []string {
	s := make([]string, len(chunks))
	for i, c := range chunks {
		s[i] = string(c)
	}
	return s
}

// A frame that ends early, or goes on too long, is refused wherever that is.
func TestEveryPrefixAndExtraByteIsRefused(t *testing.T) {
	everyMessage(t, func(t *testing.T, version int16, newMessage func() Message) {
		r := filler{Rand: rand.New(rand.NewPCG(3, uint64(version)))}
		for range 5 {
			frame := encodeFrame(version, r.message(newMessage))
			for n := range frame {
				if m, err := decodeFrame(frame[:n:n], version, newMessage()); err == nil {
					t.Fatalf("the first %d of %d bytes of %x: got %+v, want an error", n, len(frame), frame, m)
				}
			}
			for _, extra := range []byte{0, 1, 255} {
				if m, err := decodeFrame(append(frame[:len(frame):len(frame)], extra), version, newMessage()); err == nil {
					t.Fatalf("%x and then %d: got %+v, want an error", frame, extra, m)
				}
			}
		}
	})
}

// Every API is there once, under its own key, and its response is of the same API.
func TestAPIs(t *testing.T) {
	var last int16 = -1
	for _, api := range APIs() {
		if api.Key <= last {
			t.Errorf("%s: got key %d after %d, want rising keys", api.Name, api.Key, last)
		}
		last = api.Key
		request := NewRequest(api.Key)
		if got := request.API(); got != api {
			t.Errorf("NewRequest(%d): got %+v, want %+v", api.Key, got, api)
		}
		if got := request.NewResponse().API(); got != api {
			t.Errorf("response of %s: got %+v, want %+v", api.Name, got, api)
		}
	}
	if got := NewRequest(1); got != nil {
		t.Errorf("NewRequest(1), Fetch: got %T, want nil", got)
	}
}
