package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/internal/properties"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// What the core knows of mechanisms without their modules, so that it can name the module that a program lacks, is what these
// modules are: their names, and the login that is shown for an example.
func TestKnownMechanismsAreThoseOfTheModules(t *testing.T) {
	alone(t)
	var known []string
	for _, m := range properties.Mechanisms() {
		known = append(known, m.Name)
		settings := map[string]string{"bootstrap.servers": "b:9092", "security.protocol": "SASL_SSL", "sasl.mechanism": m.Name,
			"sasl.kerberos.service.name": "kafka", "sasl.jaas.config": strings.NewReplacer("…", "secret").Replace(m.Example)}
		if m.Name != "GSSAPI" {
			delete(settings, "sasl.kerberos.service.name")
		}
		if m.Name == "OAUTHBEARER" {
			settings["sasl.oauthbearer.token.endpoint.url"] = "https://login.example.test/token"
			settings["sasl.oauthbearer.client.credentials.client.id"], settings["sasl.oauthbearer.client.credentials.client.secret"] = "id", "secret"
			settings["sasl.login.callback.handler.class"] = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler"
		}
		cfg, _, err := producer.FromMap(settings)
		wrong, _ := errors.AsType[*producer.PropertiesError](err)
		noFile := wrong != nil && len(wrong.Problems) == 1 && strings.Contains(err.Error(), "/path/to/client.keytab") // which nobody has
		if !noFile && (err != nil || cfg.SASL.Name() != m.Name) {
			t.Errorf("%s: the example %s makes %v, %v", m.Name, m.Example, cfg.SASL, err)
		}
	}
	slices.Sort(known)
	if got := sasl.Registered(); !slices.Equal(got, known) {
		t.Errorf("registered are %q, known %q", got, known)
	}
}
