package slips

import "testing"

// A letter too many, one that lacks, a wrong one and two that are swapped are a slip each.
func TestBetween(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"linger", "linger", 0}, {"lnger", "linger", 1}, {"lingerr", "linger", 1}, {"lunger", "linger", 1},
		{"ilnger", "linger", 1}, {"lingre", "linger", 1}, {"acks", "retries", 6}, {"odrers", "order", 2}, {"kitten", "sitting", 3},
	} {
		if got, back := Between(test.a, test.b), Between(test.b, test.a); got != test.want || back != test.want {
			t.Errorf("Between(%q, %q) = %d, and %d the other way round, want %d", test.a, test.b, got, back, test.want)
		}
	}
}
