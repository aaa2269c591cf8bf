package properties

import (
	"strings"
	"testing"
)

// The table says of a key what its conditions are, and nothing of one that has none.
func TestTheTableHasTheConditions(t *testing.T) {
	for _, row := range all {
		has := false
		for _, c := range conditions {
			if c.key != row.Key {
				continue
			}
			has = true
			if !strings.Contains(row.Why, "`"+c.on) {
				t.Errorf("%s: the table does not name %s: %s", row.Key, c.on, row.Why)
			}
		}
		if said := strings.Contains(row.Why, "of no effect, with a notice"); said != has {
			t.Errorf("%s has conditions: %v; the table says %q", row.Key, has, row.Why)
		}
	}
}
