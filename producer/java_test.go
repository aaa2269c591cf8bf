package producer

import "testing"

// fromMap is FromMap for maps that must be fine.
func fromMap(t *testing.T, m map[string]string) (Config, []Notice) {
	t.Helper()
	c, notices, err := FromMap(m)
	if err != nil {
		t.Fatal(err)
	}
	return c, notices
}

// with is a minimal map of properties, plus some: key, value, key, value.
func with(pairs ...string) map[string]string {
	m := map[string]string{"bootstrap.servers": "localhost:9092"}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}
