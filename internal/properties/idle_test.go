package properties

import (
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/internal/tlsconf"
)

// withoutAStore has what package tlsconf says to have no effect without a store, and the two ways to give that.
var withoutAStore = map[string][2]string{
	"ssl.key.password":    {"ssl.keystore.location", "ssl.keystore.key"},
	"ssl.keystore.type":   {"ssl.keystore.location", "ssl.keystore.key"},
	"ssl.truststore.type": {"ssl.truststore.location", "ssl.truststore.certificates"},
}

// The table and the notice name the same two.
func TestTheTableHasWhatNeedsAStore(t *testing.T) {
	for key, of := range withoutAStore {
		if want := "of no effect, with a notice, without `" + of[0] + "` or `" + of[1] + "`"; !strings.HasSuffix(rows[key].Why, want) {
			t.Errorf("%s: the table says %q, want %q at its end", key, rows[key].Why, want)
		}
		found := tlsconf.Resolve(func(k string) (string, bool) { return map[string]string{key: "PKCS12"}[k], k == key })
		want := "since neither " + of[0] + " nor " + of[1] + " is set"
		if len(found.Notices) != 1 || found.Notices[0].Key != key || !strings.Contains(found.Notices[0].Text, want) {
			t.Errorf("%s alone: got notices %v, want one with %q", key, found.Notices, want)
		}
	}
}

// The table says of a key what its conditions are, and nothing of one that has none.
func TestTheTableHasTheConditions(t *testing.T) {
	for _, row := range all {
		_, has := withoutAStore[row.Key]
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
