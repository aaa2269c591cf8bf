package protocol

import (
	"os"
	"testing"
)

// goldenVariants are the fillings of each message: every field set, some set, none set.
var goldenVariants = []string{"full", "mixed", "empty"}

type goldenKey struct {
	version int16
	variant string
}

// What the API table claims and what was recorded from the Java client are the same list: each version of each request and
// response has its vectors, and there are none that nobody speaks.
func TestGoldenListComplete(t *testing.T) {
	files := map[string]bool{}
	for _, api := range APIs() {
		for _, request := range []bool{true, false} {
			files[goldenName(api, request)] = true
			testGoldenFileComplete(t, api, loadGolden(t, api, request))
		}
	}
	entries, err := os.ReadDir(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !files[entry.Name()] {
			t.Errorf("%s/%s: no message of the API table", goldenDir, entry.Name())
		}
	}
}

func testGoldenFileComplete(t *testing.T, api API, file *goldenFile) {
	t.Helper()
	name := api.Name + "Response"
	if file.request {
		name = api.Name + "Request"
	}
	if file.Message != name || file.APIKey != api.Key {
		t.Errorf("%s, API key %d: the vectors are for %s, API key %d", name, api.Key, file.Message, file.APIKey)
	}
	recorded := map[goldenKey]int{}
	for _, vector := range file.Vectors {
		recorded[goldenKey{vector.Version, vector.Variant}]++
	}
	for version := api.Min; version <= api.Max; version++ {
		for _, variant := range goldenVariants {
			if n := recorded[goldenKey{version, variant}]; n != 1 {
				t.Errorf("%s v%d, %s: got %d vectors, want 1", name, version, variant, n)
			}
			delete(recorded, goldenKey{version, variant})
		}
	}
	for key := range recorded {
		t.Errorf("%s v%d, %s: a vector outside of versions %d to %d, or of an unknown variant", name, key.version, key.variant, api.Min, api.Max)
	}
}

// Every API that the package speaks is in the table under its own key, and its request and response say the same of themselves.
func TestGoldenListAgreesWithMessages(t *testing.T) {
	if len(APIs()) != 17 {
		t.Errorf("got %d APIs, want 17", len(APIs()))
	}
	for _, api := range APIs() {
		request := NewRequest(api.Key)
		if request == nil {
			t.Errorf("NewRequest(%d) is nil, want a %sRequest", api.Key, api.Name)
			continue
		}
		if got := request.API(); got != api {
			t.Errorf("%T: got %+v, want %+v", request, got, api)
		}
		if got := request.NewResponse().API(); got != api {
			t.Errorf("%T: got %+v, want %+v", request.NewResponse(), got, api)
		}
	}
}
