package properties

import "testing"

// Old habits and slips lead to the right name; what resembles nothing leads nowhere.
func TestSuggestions(t *testing.T) {
	for key, want := range map[string]string{
		"linger":                          "linger.ms",
		"retry.backoff":                   "retry.backoff.ms",
		"reconnect.backoff":               "reconnect.backoff.ms",
		"retry":                           "",
		"linger.m":                        "linger.ms",
		"Linger.MS":                       "linger.ms",
		"linger_ms":                       "linger.ms",
		"lingerms":                        "linger.ms",
		"producer.linger.ms":              "linger.ms",
		"spring.kafka.producer.client-id": "client.id",
		"boostrap.servers":                "bootstrap.servers",
		"bootstrap.sevrers":               "bootstrap.servers",
		"enable.idempotance":              "enable.idempotence",
		"compression.typ":                 "compression.type",
		"max.inflight.requests":           "max.in.flight.requests.per.connection",
		"queue.buffering.max.ms":          "linger.ms",
		"metadata.broker.list":            "bootstrap.servers",
		"request.required.acks":           "acks",
		"Producer.RequiredAcks":           "acks",
		"Net.MaxOpenRequests":             "max.in.flight.requests.per.connection",
		"ssl.ca.location":                 "ssl.truststore.location",
		"message.timeout.ms":              "delivery.timeout.ms",
		"transaction.id":                  "transactional.id",
		"transactionalId":                 "transactional.id",
		"transaction.timeout":             "transaction.timeout.ms",
		"Producer.Transaction.ID":         "transactional.id",
		"Producer.Transaction.Timeout":    "transaction.timeout.ms",
		"transaction.max.timeout.ms":      "",
		"isolation.level":                 "",
		"spring.kafka.producer.transaction-id-prefix": "transactional.id",
		"group.id":         "",
		"favourite.colour": "",
		"":                 "",
	} {
		m := meaningOf(key)
		if m.key != want {
			t.Errorf("%q: got %q, want %q", key, m.key, want)
		}
		if m.refusal() == "" || m.consequence() == "" {
			t.Errorf("%q: nothing tells the user what to do", key)
		}
	}
}

func TestForeignKeysLeadHome(t *testing.T) {
	for name, f := range foreignKeys {
		if rows[name] != nil {
			t.Errorf("%s is a key of our own", name)
		}
		if f.key != "" && rows[f.key] == nil {
			t.Errorf("%s leads to %s, which is no key", name, f.key)
		}
		if f.key == "" && f.note == "" || f.key != "" && f.whose == "" {
			t.Errorf("%s: %+v says too little", name, f)
		}
	}
}
