package properties

import (
	"strings"
	"testing"
)

// A value that is none of those that a key takes leads to the one that was meant, if one is near and no other is as near.
func TestTheValueThatWasMeant(t *testing.T) {
	for _, test := range []struct{ key, values, want string }{
		{"sasl.mechanism", "SCRAM-SHA256 scram-sha-256 SCRAM_SHA_256 SCRAM-SHA-265 SCRAN-SHA-256 SHA-256 SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"},
		{"sasl.mechanism", "SCRAM SCRAM-SHA512 SCRAMSHA521 SCRAM-SHA-5112", "SCRAM-SHA-512"},
		{"sasl.mechanism", "Plain PLIAN PLAINTEXT PLAN", "PLAIN"},
		{"sasl.mechanism", "OAUTH OAUTHBEARRER OAUTHBARER OAUTH-BEARER OAUTHBEARER_OIDC", "OAUTHBEARER"},
		{"sasl.mechanism", "GSSPI KERBEROS gssapi", "GSSAPI"},
		{"sasl.mechanism", "AWS-MSK-IAM AWS_MKS_IAM IAM", "AWS_MSK_IAM"},
		{"sasl.mechanism", "SCRAM-SHA SCRAM-SHA-1 SCRAM-SHA-384 DIGEST-MD5 NTLM X", ""},
		{"security.protocol", "SASL_SLL SASLSSL SASL-SSL SSL_SASL SASL_TLS", "SASL_SSL"},
		{"security.protocol", "SASL_PLAINTXT SASL_PLAIN SASLPLAINTEXT SASL", "SASL_PLAINTEXT"},
		{"security.protocol", "TLS SLS SSLv3", "SSL"},
		{"security.protocol", "PLAINTXT PLAIN none", "PLAINTEXT"},
		{"security.protocol", "KERBEROS SCRAM-SHA-512", ""},
		{"compression.type", "GZIP gz gizp gzip-9", "gzip"},
		{"compression.type", "LZ4 lz lz4hc", "lz4"},
		{"compression.type", "snapy Snappy", "snappy"},
		{"compression.type", "Zstd zst zstandard ztsd", "zstd"},
		{"compression.type", "brotli x", ""},
		{"acks", "ALL al", "all"},
		{"acks", "2 -2 quorum", ""},
		{"enable.idempotence", "ture TRUE. tru", "true"},
		{"enable.idempotence", "flase fals", "false"},
		{"enable.idempotence", "yes 1", ""},
		{"client.dns.lookup", "use_all_dns_ip use.all.dns.ips", "use_all_dns_ips"},
		{"metadata.recovery.strategy", "rebootstap re-bootstrap", "REBOOTSTRAP"},
		{"topic.recreation", "folow follows", "follow"},
	} {
		for value := range strings.FieldsSeq(test.values) {
			meant := rows[test.key].meant(value)
			if test.key == "sasl.mechanism" {
				meant = mechanismMeant(value)
			}
			if meant != test.want {
				t.Errorf("%s=%s: got %q, want %q", test.key, value, meant, test.want)
			}
		}
	}
	for _, class := range strings.Fields("RoundRobinPartitioner org.apache.kafka.clients.producer.RoundRobinPartitoner org.apache.kafka.clients.producer.internals.RoundRobinPartitioner roundrobin") {
		if !roundRobinMeant(class) {
			t.Errorf("partitioner.class=%s: want it to lead to Kafka's own", class)
		}
	}
	for _, class := range strings.Fields("com.example.RoundRobinPartitioner org.apache.kafka.clients.producer.StickyPartitioner StickyPartitioner") {
		if roundRobinMeant(class) {
			t.Errorf("partitioner.class=%s: it is another class", class)
		}
	}
}

// Each key that takes the values of a list alone says which of them was meant.
func TestEachListOfValuesHasItsHint(t *testing.T) {
	n := 0
	for _, row := range all {
		names, _ := row.names()
		for _, name := range names {
			if len(name) < 3 {
				continue // acks=0 is like acks=1
			}
			n++
			slip := name[:1] + name
			e := &entry{key: row.Key, written: row.Key, value: slip}
			s := &Set{entries: map[string]*entry{row.Key: e}, broken: map[string]bool{}}
			s.check(rows[row.Key], e)
			if len(s.problems) != 1 || !strings.HasSuffix(s.problems[0].Rule, "; did you mean "+name+"?") {
				t.Errorf("%s=%s: %+v, want a hint at %s", row.Key, slip, s.problems, name)
			}
		}
	}
	if n < 40 {
		t.Errorf("%d values were tried, want those of all lists", n)
	}
}
