package gssapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jcmturner/gokrb5/v8/keytab"

	"github.com/epistle-kafka/epistle/sasl"
)

func settings(options map[string]sasl.Secret, keys map[string]string) *sasl.Settings {
	s := &sasl.Settings{Mechanism: Name, Login: sasl.Login{Module: loginModule, Options: options}, Keys: map[string]string{keyService: "kafka"}}
	for key, value := range keys {
		s.Keys[key] = value
	}
	return s
}

// What Java's clients are configured with means the same here.
func TestSettings(t *testing.T) {
	t.Setenv("KRB5CCNAME", "FILE:/tmp/of-the-environment")
	base := Config{ServiceName: "kafka", RenewWindowFactor: 0.8, RenewJitter: 0.05}
	for _, c := range []struct {
		name    string
		options map[string]sasl.Secret
		keys    map[string]string
		want    func(*Config)
	}{
		{"a keytab", map[string]sasl.Secret{"useKeyTab": "true", "storeKey": "true", "keyTab": "/etc/a.keytab", "principal": "alice@A.TEST", "doNotPrompt": "true", "debug": "false", "refreshKrb5Config": "true"}, nil,
			func(c *Config) { c.Keytab, c.Principal = "/etc/a.keytab", "alice@A.TEST" }},
		{"a ticket cache", map[string]sasl.Secret{"useTicketCache": "TRUE", "ticketCache": "/tmp/cache", "renewTGT": "true"}, nil,
			func(c *Config) { c.CredentialCache, c.RenewTickets = "/tmp/cache", true }},
		{"the usual ticket cache", map[string]sasl.Secret{"useTicketCache": "true"}, nil,
			func(c *Config) { c.CredentialCache = "FILE:/tmp/of-the-environment" }},
		{"both", map[string]sasl.Secret{"useTicketCache": "true", "useKeyTab": "true", "keyTab": "FILE:/k", "principal": "a"}, nil,
			func(c *Config) { c.CredentialCache, c.Keytab, c.Principal = "FILE:/tmp/of-the-environment", "/k", "a" }},
		{"the service in the login module", map[string]sasl.Secret{"useTicketCache": "true", "serviceName": "bus"}, map[string]string{keyService: ""},
			func(c *Config) { c.CredentialCache, c.ServiceName = "FILE:/tmp/of-the-environment", "bus" }},
		{"renewal", map[string]sasl.Secret{"useTicketCache": "true", "canonicalizeHost": "reverse"},
			map[string]string{keyFactor: "0.5", keyJitter: "0", keyRelogin: "1000", "sasl.kerberos.kinit.cmd": "/usr/bin/kinit"},
			func(c *Config) {
				c.CredentialCache, c.Canonicalize = "FILE:/tmp/of-the-environment", CanonicalizeReverse
				c.RenewWindowFactor, c.RenewJitter, c.MinTimeBeforeRelogin = 0.5, -1, time.Second
			}},
	} {
		want := base
		c.want(&want)
		got, err := FromSettings(settings(c.options, c.keys))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

// What is wrong is told by the name of the option or the key.
func TestSettingsThatAreWrong(t *testing.T) {
	with := func(more ...string) map[string]sasl.Secret {
		options := map[string]sasl.Secret{"useKeyTab": "true", "keyTab": "/k", "principal": "alice"}
		for i := 0; i < len(more); i += 2 {
			options[more[i]] = sasl.Secret(more[i+1])
		}
		return options
	}
	for _, c := range []struct {
		options map[string]sasl.Secret
		keys    map[string]string
		words   string
	}{
		{with(), map[string]string{keyService: ""}, keyService + ": is not set"},
		{with("serviceName", "bus"), nil, keyService + `: is "kafka", and serviceName in sasl.jaas.config is "bus"`},
		{with(), map[string]string{keyService: "kafka/b1"}, keyService + ": is \"kafka/b1\""},
		{with("useKeytab", "true"), nil, "option useKeytab: is no option of Krb5LoginModule, which has useKeyTab,"},
		{with("useKeytab", "true"), nil, "did you mean useKeyTab?"},
		{with("useKeyTab", "yes"), nil, `option useKeyTab: is "yes": it is true or false`},
		{with("debug", "a lot"), nil, `option debug: is "a lot"`},
		{with("useKeyTab", "false"), nil, "option keyTab: is set, and useKeyTab=true is not"},
		{with("ticketCache", "/c"), nil, "option ticketCache: is set, and useTicketCache=true is not"},
		{with("renewTGT", "true"), nil, "option renewTGT"},
		{with("isInitiator", "false"), nil, "option isInitiator: is false"},
		{with("useFirstPass", "true"), nil, "option useFirstPass: is true"},
		{with("principal", ""), nil, "option principal: is not set"},
		{with("password", "hunter2"), nil, "option password: is none of Krb5LoginModule"},
		{with("canonicalizeHost", "maybe"), nil, "it is one of ip, never, forward, reverse"},
		{nil, nil, "option useKeyTab: is not true, and neither is useTicketCache"},
		{with(), map[string]string{keyFactor: "1.5"}, keyFactor + ": is 1.5"},
		{with(), map[string]string{keyFactor: "NaN"}, keyFactor},
		{with(), map[string]string{keyFactor: "much"}, keyFactor + `: is "much"`},
		{with(), map[string]string{keyJitter: "0.5"}, keyJitter + ": is 0.5"},
		{with(), map[string]string{keyRelogin: "1s"}, keyRelogin + `: is "1s"`},
	} {
		_, err := FromSettings(settings(c.options, c.keys))
		if err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("for %q: %v", c.words, err)
		} else if _, ok := errors.AsType[*sasl.SettingError](err); !ok || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error has no key, or shows the password: %v", err)
		}
	}
	ignored := settings(with("useSubjectCredsOnly", "false", "useKeytab", "true"), nil)
	ignored.Ignore = func(option string, known []string) bool {
		return option == "useSubjectCredsOnly" && slices.Contains(known, "keyTab")
	}
	if _, err := FromSettings(ignored); err == nil || strings.Contains(err.Error(), "useSubjectCredsOnly") || !strings.Contains(err.Error(), "useKeytab") {
		t.Errorf("with one option that is ignored, and one that is a slip: %v", err)
	}
	_, err := FromSettings(settings(with("debug", "a lot", "isInitiator", "false"), map[string]string{keyJitter: "no"}))
	for _, word := range []string{"debug", "isInitiator", keyJitter} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("not all is told at once: %v", err)
		}
	}
	other := settings(with(), nil)
	other.Login.Module = "com.ibm.security.auth.module.Krb5LoginModule"
	if _, err := sasl.Lookup(Name)(other); err == nil || !strings.Contains(err.Error(), other.Login.Module) {
		t.Errorf("another login module: %v", err)
	}
	other.Login.Module = "shaded." + loginModule
	if _, err := FromSettings(other); err != nil {
		t.Errorf("a shaded login module: %v", err)
	}
	if _, err := sasl.Lookup(Name)(settings(with(), nil)); err == nil || !strings.Contains(err.Error(), "/k") {
		t.Errorf("a keytab that is not there: %v", err)
	}
}

// New tells at once what is wrong with what it can read.
func TestConfigsThatAreWrong(t *testing.T) {
	conf := writeFile(t, "krb5.conf", testConf)
	others := keytab.New()
	addKey(t, others, "bob", testRealm, "secret of bob")
	of := writeKeytab(t, others)
	for _, c := range []struct {
		change func(*Config)
		words  string
	}{
		{func(c *Config) { c.ServiceName = "" }, "ServiceName"},
		{func(c *Config) { c.ServiceName = "kafka/b1" }, "ServiceName"},
		{func(c *Config) { c.Password = "" }, "none of Keytab, Password and CredentialCache"},
		{func(c *Config) { c.Keytab = "/k" }, "Keytab and Password"},
		{func(c *Config) { c.Principal = "" }, "Principal"},
		{func(c *Config) { c.Principal, c.CredentialCache = "", "/c" }, "Principal"},
		{func(c *Config) { c.Realm, c.Principal = "A", "alice@B" }, `Principal is of realm "B", and Realm is "A"`},
		{func(c *Config) { c.CredentialCache = "KEYRING:persistent:0" }, "of type KEYRING,"},
		{func(c *Config) { c.Canonicalize = 9 }, "Canonicalize(9)"},
		{func(c *Config) { c.RenewWindowFactor = 2 }, "RenewWindowFactor"},
		{func(c *Config) { c.RenewJitter = 1 }, "RenewJitter"},
		{func(c *Config) { c.MinTimeBeforeRelogin = -1 }, "MinTimeBeforeRelogin"},
		{func(c *Config) { c.Krb5Conf = "/not/there" }, "krb5.conf"},
		{func(c *Config) { c.Krb5Conf = writeFile(t, "empty", "[libdefaults]\n") }, "the realm is not known"},
		{func(c *Config) { c.Password, c.Keytab = "", "/not/there" }, "/not/there"},
		{func(c *Config) { c.Password, c.Keytab = "", of }, `has no key of alice@EXAMPLE.TEST; it has keys of ["bob@EXAMPLE.TEST"]`},
		{func(c *Config) { c.Password, c.Keytab = "", writeFile(t, "bad", "\x05\x02\x00\x00\x00\x7fsecret") }, "it is cut short, or is none"},
	} {
		cfg := Config{ServiceName: "kafka", Principal: "alice", Password: "hunter2", Krb5Conf: conf}
		c.change(&cfg)
		_, err := New(cfg)
		if err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("for %q: %v", c.words, err)
		} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "secret") {
			t.Errorf("a secret is shown: %v", err)
		}
	}
}

// Neither the configuration nor the mechanism nor an exchange shows a password, a key or a ticket, however it is printed.
func TestSecretsAreNeverShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		m := newMechanism(t, k, func(cfg *Config) { cfg.Password = "secret of alice" })
		e := begin(t, m, broker("b1"))
		session := string(e.(*exchange).ticket.key.KeyValue)
		cfg := m.login.cfg
		cfg.DialContext = nil
		for _, value := range []any{cfg, &cfg, m, *m, []any{m}, struct{ M *Mechanism }{m}, e, secret{password: "secret of alice"}, &secret{keytab: k.keys}} {
			var all strings.Builder
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				fmt.Fprintf(&all, verb+"\n", value)
			}
			encoded, _ := json.Marshal(value)
			all.Write(encoded)
			slog.New(slog.NewTextHandler(&all, nil)).Info("a", "b", value)
			slog.New(slog.NewJSONHandler(&all, nil)).Info("a", "b", value)
			for _, word := range []string{"secret of alice", session, fmt.Sprintf("%x", session), fmt.Sprint([]byte(session)), fmt.Sprintf("%x", "secret of alice")} {
				if strings.Contains(all.String(), word) {
					t.Errorf("%T shows %q", value, word)
				}
			}
		}
		if got := m.String(); got != "GSSAPI as alice to kafka" {
			t.Error(got)
		}
	})
}
