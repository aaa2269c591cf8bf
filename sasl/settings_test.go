package sasl

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

const (
	plainModule = "org.apache.kafka.common.security.plain.PlainLoginModule"
	scramModule = "org.apache.kafka.common.security.scram.ScramLoginModule"
	oauthModule = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
)

// settings are those of a properties file: options of the login module and keys come in pairs.
func settings(mechanism, module string, pairs ...string) *Settings {
	s := &Settings{Mechanism: mechanism, Login: Login{Module: module, Options: map[string]Secret{}}, Keys: map[string]string{"sasl.mechanism": mechanism}}
	for i := 0; i < len(pairs); i += 2 {
		if strings.HasPrefix(pairs[i], "sasl.") {
			s.Keys[pairs[i]] = pairs[i+1]
		} else {
			s.Login.Options[pairs[i]] = Secret(pairs[i+1])
		}
	}
	return s
}

func build(s *Settings) (Mechanism, error) { return Lookup(s.Mechanism)(s) }

func TestBuiltInMechanismsAreRegistered(t *testing.T) {
	for _, name := range []string{"OAUTHBEARER", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		if !slices.Contains(Registered(), name) {
			t.Errorf("%s is not in %v", name, Registered())
		}
	}
}

func TestPasswordsFromProperties(t *testing.T) {
	for _, c := range []struct {
		s     *Settings
		first string
	}{
		{settings("PLAIN", plainModule, "username", "alice", "password", "secret"), "\x00alice\x00secret"},
		{settings("PLAIN", "kafkashaded."+plainModule, "username", "a", "password", "b", "user_admin", "of a broker"), "\x00a\x00b"},
		{settings("PLAIN", plainModule, "username", "$ConnectionString", "password", "Endpoint=sb://ns.example/;SharedAccessKey=KEY="), "\x00$ConnectionString\x00Endpoint=sb://ns.example/;SharedAccessKey=KEY="},
		{settings("PLAIN", plainModule, "username", " a ", "password", "a<b>c${d", "sasl.login.class", "org.apache.kafka.common.security.authenticator.DefaultLogin"), "\x00 a \x00a<b>c${d"},
		{settings("SCRAM-SHA-256", scramModule, "username", "alice", "password", "secret"), "n,,n=alice,r=nonce"},
		{settings("SCRAM-SHA-512", "org.apache.flink.kafka.shaded."+scramModule, "username", "id", "password", "hmac", "tokenauth", "TRUE"), "n,,n=id,r=nonce,tokenauth=true"},
		{settings("SCRAM-SHA-512", scramModule, "username", "id", "password", "hmac", "tokenauth", "yes"), "n,,n=id,r=nonce"},
	} {
		m, err := build(c.s)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if s, ok := m.(*scram); ok {
			s.nonce = func() string { return "nonce" }
		}
		if got, _ := next(t, begin(t, m), ""); got != c.first || m.Name() != c.s.Mechanism {
			t.Errorf("%s: sent %q, want %q", m.Name(), got, c.first)
		}
	}
}

// A wrong is what a builder has to say of a setting.
type wrong struct {
	s    *Settings
	key  string // and its option, after a space
	says string
}

func (w wrong) check(t *testing.T) {
	t.Helper()
	m, err := build(w.s)
	if err == nil || m != nil {
		t.Errorf("%s, %s: is taken", w.key, w.says)
		return
	}
	key, option, _ := strings.Cut(w.key, " ")
	for _, e := range each(err) {
		e, ok := e.(*SettingError)
		if !ok {
			t.Fatalf("%T: %v", e, err)
		}
		if e.Key == key && e.Option == option && strings.Contains(e.Rule, w.says) {
			has(t, err.Error(), key, option, w.says)
			key = ""
		}
	}
	if key != "" {
		t.Errorf("nothing of %s with %q: %v", w.key, w.says, err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("shows a secret: %v", err)
	}
}

// each divides what errors.Join has joined.
func each(err error) []error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return several.Unwrap()
	}
	return []error{err}
}

func TestPasswordsThatPropertiesLack(t *testing.T) {
	for _, w := range []wrong{
		{settings("PLAIN", ""), "sasl.jaas.config", `is not set: PLAIN needs ` + plainModule + ` required username="…" password="…";`},
		{settings("SCRAM-SHA-256", ""), "sasl.jaas.config", "SCRAM-SHA-256 needs " + scramModule},
		{settings("PLAIN", scramModule, "username", "a", "password", "hunter2"), "sasl.jaas.config", "has ScramLoginModule, which is for SCRAM-SHA-256 and SCRAM-SHA-512: sasl.mechanism=PLAIN needs " + plainModule},
		{settings("SCRAM-SHA-512", plainModule, "username", "a", "password", "hunter2"), "sasl.jaas.config", "which is for PLAIN"},
		{settings("PLAIN", "com.sun.security.auth.module.Krb5LoginModule"), "sasl.jaas.config", "which is for GSSAPI"},
		{settings("PLAIN", "software.amazon.msk.auth.iam.IAMLoginModule"), "sasl.jaas.config", "which is for AWS_MSK_IAM"},
		{settings("PLAIN", "com.example.NotPlainLoginModule"), "sasl.jaas.config", `"com.example.NotPlainLoginModule", which is not known here`},
		{settings("PLAIN", plainModule, "password", "hunter2"), "sasl.jaas.config username", "is not set"},
		{settings("PLAIN", plainModule, "username", "a"), "sasl.jaas.config password", "is not set"},
		{settings("PLAIN", plainModule, "username", "a", "password", ""), "sasl.jaas.config password", "is empty"},
		{settings("PLAIN", plainModule, "username", "a", "password", "<hunter2>"), "sasl.jaas.config password", "placeholder, <…>"},
		{settings("PLAIN", plainModule, "username", "a", "password", "${file:/x:hunter2}"), "sasl.jaas.config password", "placeholder, ${…}"},
		{settings("PLAIN", plainModule, "username", "{{ API_KEY }}", "password", "hunter2"), "sasl.jaas.config username", "placeholder, {{…}}"},
		{settings("PLAIN", plainModule, "user", "a", "password", "hunter2"), "sasl.jaas.config user", "is no option of PlainLoginModule, which has username, password; did you mean username?"},
		{settings("PLAIN", plainModule, "username", "a", "Password", "hunter2"), "sasl.jaas.config Password", "did you mean password?"},
		{settings("PLAIN", plainModule, "username", "a", "password", "hunter2", "tokenauth", "true"), "sasl.jaas.config tokenauth", "is no option of PlainLoginModule"},
		{settings("PLAIN", plainModule, "username", "a", "password", "hunter2\x00"), "sasl.jaas.config", "NUL"},
		{settings("SCRAM-SHA-512", scramModule, "username", "J\u00f6rg", "password", "hunter2"), "sasl.jaas.config", "not ASCII"},
		{settings("PLAIN", plainModule, "username", "a", "password", "hunter2", "sasl.login.callback.handler.class", "com.example.Vault"), "sasl.login.callback.handler.class", "sasl.PlainFrom"},
		{settings("SCRAM-SHA-512", scramModule, "username", "a", "password", "hunter2", "sasl.client.callback.handler.class", "com.example.Vault"), "sasl.client.callback.handler.class", "sasl.ScramSHA512From"},
		{settings("PLAIN", plainModule, "username", "a", "password", "hunter2", "sasl.login.class", "com.example.Login"), "sasl.login.class", "Java class"},
	} {
		w.check(t)
	}
}

// All that is wrong is told at once, and a caller finds each with its key and option.
func TestAllThatIsWrongIsTold(t *testing.T) {
	_, err := build(settings("PLAIN", plainModule, "username", "", "password", "<x>"))
	if found := each(err); len(found) != 2 {
		t.Errorf("%d errors: %v", len(found), err)
	}
	_, err = build(settings("PLAIN", plainModule, "sasl.login.class", "com.example.Login"))
	if e, ok := errors.AsType[*SettingError](err); !ok || e.Class != "com.example.Login" {
		t.Errorf("%#v", err)
	}
}

// A user's own class is served by a Go function that is registered for it, wherever a build of Java has put the class.
func TestRegisteredTokenSource(t *testing.T) {
	const class = "com.example.registered.LoginHandler"
	t.Cleanup(func() { // so that the test can run again
		buildersMu.Lock()
		defer buildersMu.Unlock()
		delete(sources, class)
	})
	var got *Settings
	RegisterTokenSource(class, func(s *Settings) (TokenSource, error) {
		switch got = s; s.Keys["sasl.what"] {
		case "error":
			return nil, &SettingError{Key: "sasl.what", Rule: "is error"}
		case "nothing":
			return nil, nil
		}
		return always(Token{Value: "from.go"}), nil
	})
	s := settings("OAUTHBEARER", oauthModule, "sasl.login.callback.handler.class", "shaded."+class, "sasl.client.callback.handler.class", "shaded."+class,
		"ownOption", "x", "extension_a", "b")
	m, err := build(s)
	if err != nil {
		t.Fatal(err)
	}
	if first, _ := next(t, begin(t, m), ""); first != "n,,\x01auth=Bearer from.go\x01a=b\x01\x01" || got != s {
		t.Errorf("sent %q", first)
	}
	for what, says := range map[string]string{"error": "is error", "nothing": "has returned none"} {
		s := settings("OAUTHBEARER", oauthModule, "sasl.login.callback.handler.class", class, "sasl.what", what)
		if _, err := build(s); err == nil {
			t.Errorf("%s: is taken", what)
		} else {
			has(t, err.Error(), says)
		}
	}
	for _, again := range []func(){
		func() { RegisterTokenSource(class, func(*Settings) (TokenSource, error) { return nil, nil }) },
		func() { RegisterTokenSource("x", nil) },
		func() { RegisterTokenSource("", func(*Settings) (TokenSource, error) { return nil, nil }) },
		func() { Register("PLAIN", buildPlain) },
		func() { Register("X", nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("is registered all the same")
				}
			}()
			again()
		}()
	}
	if Lookup("X") != nil || slices.Contains(slices.Collect(maps.Keys(sources)), "x") {
		t.Error("what was refused is registered")
	}
}
