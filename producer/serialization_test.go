package producer

import (
	"context"
	"errors"
	"testing"
)

type traceKey struct{}

// A serializer sees whose record it makes a part of, and the caller's context, and adds headers: they go with the record, those
// of the key before those of the value, and the caller's own slice stays as it was.
func TestSerializersSeeTheContextAndAddHeaders(t *testing.T) {
	var got recorder
	var parts []string
	adding := SerializerFunc[string](func(ctx context.Context, dst []byte, s *Serialization, v string) ([]byte, error) {
		id, _ := ctx.Value(traceKey{}).(string)
		parts = append(parts, s.Topic+" "+s.Part+" "+id)
		s.Headers = append(s.Headers, Header{Key: s.Part, Value: []byte(id)})
		return append(dst, v...), nil
	})
	typed := NewTyped(&got, adding, adding)
	ctx := context.WithValue(t.Context(), traceKey{}, "t1")
	own := append(make([]Header, 0, 10), Header{Key: "own"})
	rec := TypedRecord[string, string]{Topic: "orders", Key: "k", Value: "v", Headers: own}

	typed.Send(ctx, rec)
	typed.SendFunc(ctx, rec, func(RecordMetadata, error) {})
	_, _ = typed.SendSync(ctx, rec)
	if err := typed.TrySend(rec, func(RecordMetadata, error) {}); err != nil {
		t.Error(err)
	}
	typed.Topic("orders").Send(ctx, "k", "v")

	if len(got.records) != 5 {
		t.Fatalf("%d records, want 5", len(got.records))
	}
	for i, r := range got.records {
		want := []string{"own", "key", "value"}
		if i == 4 {
			want = want[1:]
		}
		trace := "t1"
		if i == 3 {
			trace = "" // TrySend has no context
		}
		if len(r.Headers) != len(want) {
			t.Errorf("record %d has the headers %v, want %v", i, r.Headers, want)
			continue
		}
		for j, h := range r.Headers {
			if h.Key != want[j] || h.Key != "own" && string(h.Value) != trace {
				t.Errorf("record %d: header %d is %s=%q, want %s=%q", i, j, h.Key, h.Value, want[j], trace)
			}
		}
		if parts[2*i] != "orders key "+trace || parts[2*i+1] != "orders value "+trace {
			t.Errorf("record %d: the serializers were told %q", i, parts[2*i:2*i+2])
		}
	}
	if spare := own[:cap(own)][1]; spare.Key != "" {
		t.Errorf("header %s was written into the caller's slice", spare.Key)
	}
}

// What a serializer has added before another one failed goes nowhere, and the next record starts anew.
func TestHeadersOfARecordThatFailedGoNowhere(t *testing.T) {
	var got recorder
	adding := SerializerFunc[bool](func(_ context.Context, dst []byte, s *Serialization, _ bool) ([]byte, error) {
		s.Headers = append(s.Headers, Header{Key: s.Part})
		return dst, nil
	})
	failing := SerializerFunc[bool](func(_ context.Context, dst []byte, s *Serialization, fail bool) ([]byte, error) {
		if fail {
			return nil, errors.New("no")
		}
		if len(s.Headers) != 1 {
			t.Errorf("it was told of the headers %v, want that of the key", s.Headers)
		}
		return dst, nil
	})
	typed := NewTyped(&got, adding, failing).Topic("t")
	for _, fail := range []bool{true, false} {
		typed.Send(t.Context(), true, fail)
	}
	if len(got.records) != 1 || len(got.records[0].Headers) != 1 {
		t.Errorf("got %+v, want one record with one header", got.records)
	}
}
