package producer

import (
	"context"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/internal/vectors"
)

// Whoever reads these topics may be Java: the bytes must be those of Java's serializers.
func TestSerializersWriteJavasBytes(t *testing.T) {
	type row struct {
		Type, Value, Bytes *string
	}
	for _, row := range vectors.Read[row](t, "testdata/java-serializers.json") {
		got, err := serializeText(*row.Type, row.Value)
		name := *row.Type + " null"
		if row.Value != nil {
			name = *row.Type + " " + strconv.Quote(*row.Value)
		}
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case (got == nil) != (row.Bytes == nil):
			t.Errorf("%s: got null %v, want null %v", name, got == nil, row.Bytes == nil)
		case got != nil && hex.EncodeToString(got) != *row.Bytes:
			t.Errorf("%s: got %x, want %s", name, got, *row.Bytes)
		}
	}
}

func serializeText(kind string, text *string) ([]byte, error) {
	switch kind {
	case "bool":
		return serializeAs(BoolSerializer{}, text, strconv.ParseBool)
	case "int16":
		return serializeAs(Int16Serializer{}, text, func(s string) (int16, error) { n, err := strconv.ParseInt(s, 10, 16); return int16(n), err })
	case "int32":
		return serializeAs(Int32Serializer{}, text, func(s string) (int32, error) { n, err := strconv.ParseInt(s, 10, 32); return int32(n), err })
	case "int64":
		return serializeAs(Int64Serializer{}, text, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
	case "float32":
		return serializeAs(Float32Serializer{}, text, func(s string) (float32, error) { n, err := strconv.ParseFloat(s, 32); return float32(n), err })
	case "float64":
		return serializeAs(Float64Serializer{}, text, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
	case "string":
		return serializeAs(StringSerializer{}, text, func(s string) (string, error) { return s, nil })
	case "uuid":
		return serializeAs(UUIDSerializer{}, text, func(s string) (u [16]byte, err error) {
			_, err = hex.Decode(u[:], []byte(strings.ReplaceAll(s, "-", "")))
			return u, err
		})
	case "bytes":
		if text == nil {
			return BytesSerializer{}.Serialize(context.Background(), []byte{}, &Serialization{Topic: "t"}, nil)
		}
		return serializeAs(BytesSerializer{}, text, hex.DecodeString)
	case "void":
		return VoidSerializer{}.Serialize(context.Background(), []byte{}, &Serialization{Topic: "t"}, Void{})
	}
	panic("no serializer for " + kind)
}

func serializeAs[T any](s Serializer[T], text *string, parse func(string) (T, error)) ([]byte, error) {
	var v *T
	if text != nil {
		parsed, err := parse(*text)
		if err != nil {
			return nil, err
		}
		v = &parsed
	}
	return Nullable(s).Serialize(context.Background(), []byte{}, &Serialization{Topic: "t"}, v)
}

func TestSerializersAppend(t *testing.T) {
	got, err := JSONSerializer[map[string]string]{}.Serialize(t.Context(), []byte("x"), &Serialization{Topic: "t"}, map[string]string{"a": "<&>"})
	if want := `x{"a":"<&>"}`; err != nil || string(got) != want {
		t.Errorf("JSON: got %s, %v, want %s", got, err, want)
	}
	got, err = UUIDSerializer{}.Serialize(t.Context(), []byte("x"), &Serialization{Topic: "t"}, [16]byte{0: 0xAB})
	if want := "xab000000-0000-0000-0000-000000000000"; err != nil || string(got) != want {
		t.Errorf("UUID: got %s, %v, want %s", got, err, want)
	}
}

func TestJSONThatCannotBe(t *testing.T) {
	if got, err := (JSONSerializer[func()]{}).Serialize(t.Context(), []byte{}, &Serialization{Topic: "t"}, func() {}); err == nil {
		t.Errorf("a function: got %q and no error", got)
	}
	if got, err := (JSONSerializer[*int]{}).Serialize(t.Context(), []byte{}, &Serialization{Topic: "t"}, nil); err != nil || string(got) != "null" {
		t.Errorf("a nil pointer: got %q, %v, want the text null", got, err)
	}
	if got, err := Nullable[int](JSONSerializer[int]{}).Serialize(t.Context(), []byte{}, &Serialization{Topic: "t"}, nil); err != nil || got != nil {
		t.Errorf("a nullable nil pointer: got %q, %v, want null", got, err)
	}
}
