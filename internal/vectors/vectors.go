// Package vectors reads what Kafka's own code has recorded for tests.
package vectors

import (
	"encoding/json"
	"os"
	"testing"
)

// Read returns the rows of a file of JSON, of which there is at least one.
func Read[T any](t *testing.T, path string) []T {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rows []T
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no rows", path)
	}
	return rows
}
