package properties

import (
	"encoding/json"
	"os"
	"testing"
)

// javaVectors reads what producer/testdata/java/ProducerVectors.java has recorded.
func javaVectors[T any](t *testing.T, name string) []T {
	t.Helper()
	data, err := os.ReadFile("../../producer/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var rows []T
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no rows", name)
	}
	return rows
}
