package protocol

import (
	"bytes"
	"testing"
)

// A message may be filled without regard to the version that it will be sent in: what that version does not have is left out.
// So the fields of every version, set in another one, give the bytes of those that the two have in common.
func TestGoldenFieldsOfOtherVersionsNotWritten(t *testing.T) {
	for _, api := range APIs() {
		for _, request := range []bool{true, false} {
			file := loadGolden(t, api, request)
			for _, vector := range file.Vectors {
				if vector.Variant == "full" {
					t.Run(vector.String(), func(t *testing.T) { testOtherVersions(t, vector) })
				}
			}
		}
	}
}

func testOtherVersions(t *testing.T, full *goldenVector) {
	filled, err := full.value()
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range full.file.Vectors {
		if other.Variant != "full" {
			continue
		}
		common := *other
		common.Fields = intersection(full.Fields, other.Fields).(map[string]any)
		m, err := common.value()
		if err != nil {
			t.Fatal(err)
		}
		want, err := other.encode(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := other.encode(filled)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("as v%d\n got %x\nwant %x", other.Version, got, want)
		}
	}
}

// intersection is value without the fields that are not in shape, in any depth. Every element of an array has the same fields.
func intersection(value, shape any) any {
	switch value := value.(type) {
	case map[string]any:
		common := map[string]any{}
		for name, inShape := range shape.(map[string]any) {
			if inValue, ok := value[name]; ok {
				common[name] = intersection(inValue, inShape)
			}
		}
		return common
	case []any:
		common := make([]any, len(value))
		for i := range value {
			common[i] = intersection(value[i], shape.([]any)[0])
		}
		return common
	}
	return value
}
