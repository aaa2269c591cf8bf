package properties

import (
	"testing"

	"github.com/epistle-kafka/epistle/internal/vectors"
)

type javaSetting struct {
	Key, Type, Valid, Importance string
	Default                      *string
	Required                     bool
}

// Every key of Java's producer has a row, and the row says of it what Java says.
func TestTableHasAllOfJava(t *testing.T) {
	own := map[string]bool{}
	for _, s := range ownSettings {
		own[s.Key] = true
	}
	java := map[string]bool{}
	for _, j := range vectors.Read[javaSetting](t, "../../producer/testdata/java-producer-config-4.4.0.json") {
		java[j.Key] = true
		s := rows[j.Key]
		if s == nil {
			t.Errorf("%s: Java has it, the table has not", j.Key)
			continue
		}
		def := NotSet
		if j.Required {
			def = Required
		} else if j.Default != nil {
			def = *j.Default
		}
		got := [...]string{s.Kind, s.Default, s.Valid}
		if want := [...]string{j.Type, def, j.Valid}; got != want {
			t.Errorf("%s: got %q, want %q", j.Key, got, want)
		}
	}
	if len(java) != 120 {
		t.Errorf("got %d keys of Java, want the 120 of 4.4.0", len(java))
	}
	seen := map[string]bool{}
	for _, s := range all {
		if !java[s.Key] && !own[s.Key] {
			t.Errorf("%s: the table has it, Java has not", s.Key)
		}
		if seen[s.Key] {
			t.Errorf("%s: two rows", s.Key)
		}
		seen[s.Key] = true
		if s.How != Honoured && s.Why == "" {
			t.Errorf("%s: is %v, and nothing says why", s.Key, s.How)
		}
	}
}
