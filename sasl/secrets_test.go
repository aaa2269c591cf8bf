package sasl

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const theSecret = "hunter2-hunter2"

// samples has a value of each exported type that holds the secret wherever it can. A type that is missing here fails the
// test, so that a new one gets its sample.
func samples(t *testing.T) map[string][]any {
	file := writeTemp(t, "secret", theSecret)
	credentials := Credentials{User: "alice", Password: theSecret}
	byFunc := CredentialFunc(fixed(credentials))
	key := func(context.Context) (crypto.Signer, error) { return rsaKey(), nil }
	assertion := AssertionConfig{Key: key, Passphrase: theSecret, Issuer: "me"}
	config := OIDCConfig{TokenURL: "https://idp.example/", ClientID: "id", ClientSecret: theSecret, Scope: "kafka"}
	withAssertion := OIDCConfig{TokenURL: "https://idp.example/", Assertion: made(SignedAssertion(assertion))}
	login := Login{Module: plainModule, Options: map[string]Secret{"username": "alice", "password": theSecret}}
	settings := Settings{Mechanism: "PLAIN", Login: login, Keys: map[string]string{"sasl.jaas.config": theSecret}}
	bad := settings
	bad.Login.Module = scramModule
	_, settingErr := buildPlain(&bad)
	bearer := OAuthBearer(always(Token{Value: theSecret, Expires: time.Now().Add(time.Hour)}))
	mechanisms := []any{Plain("alice", theSecret), ScramSHA256("alice", theSecret), ScramSHA512From(DelegationToken("id", theSecret)),
		bearer, OAuthBearer(TokenFile(file)), OAuthBearer(made(OIDC(config)))}
	refused := &RefusedError{Mechanism: "PLAIN", Words: "no", Hint: "check"}
	return map[string][]any{
		"Secret": {Secret(theSecret)}, "Credentials": {credentials}, "CredentialFunc": {byFunc, PasswordFile("alice", file), CredentialsFile(file)},
		"Mechanism": mechanisms, "Exchange": exchanges(t, mechanisms), "Explainer": exchanges(t, mechanisms),
		"Target": {Target{Host: "h"}}, "RefusedError": {refused}, "Settings": {settings}, "Login": {login},
		"SettingError": {settingErr}, "Builder": {Builder(buildPlain)}, "TokenSourceBuilder": {TokenSourceBuilder(nil)},
		"Token": {Token{Value: theSecret, endpoint: "https://idp.example"}}, "TokenFunc": {always(Token{Value: theSecret})},
		"TokenSource": {made(OIDC(config)), made(OIDC(withAssertion)), TokenFile(file), WithExtensions(always(Token{Value: theSecret}), nil)},
		"OIDCConfig":  {config, withAssertion, OIDCConfig{Credentials: byFunc}}, "AssertionConfig": {assertion},
		"AssertionFunc": {made(SignedAssertion(assertion)), AssertionFile(file)}, "Refresh": {DefaultRefresh()},
	}
}

// exchanges of all mechanisms, after each of their steps.
func exchanges(t *testing.T, mechanisms []any) (all []any) {
	for _, m := range mechanisms {
		if m, ok := m.(*oauth); ok {
			if _, ok := m.source.(*oidc); ok {
				continue // there is nobody to ask
			}
		}
		for steps := range 3 {
			e := begin(t, m.(Mechanism))
			sent := ""
			for range steps {
				challenge := ""
				if _, nonce, found := strings.Cut(sent, "r="); found {
					nonce, _, _ = strings.Cut(nonce, ",")
					challenge = "r=" + nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
				}
				b, _, _ := e.Next(t.Context(), []byte(challenge))
				sent = string(b)
			}
			all = append(all, e)
		}
	}
	return all
}

// exported lists the exported types of the package, as its source has them.
func exported(t *testing.T) (names []string) {
	t.Helper()
	files := token.NewFileSet()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(files, entry.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
				names = append(names, spec.Name.Name)
			}
			return true
		})
	}
	return names
}

// printed is a value in all the ways that people print values.
func printed(v any) map[string]string {
	texts := map[string]string{}
	wrapped := []any{v, &v, []any{v}, map[string]any{"k": v}, struct{ V any }{v}, struct{ v any }{v}}
	if reflect.TypeOf(v).Kind() == reflect.Struct {
		pointer := reflect.New(reflect.TypeOf(v))
		pointer.Elem().Set(reflect.ValueOf(v))
		wrapped = append(wrapped, pointer.Interface())
	}
	for i, w := range wrapped {
		if _, notExported := w.(struct{ v any }); notExported && reflect.TypeOf(v).Kind() != reflect.Pointer && reflect.TypeOf(v).Kind() != reflect.Func {
			continue // package fmt calls no method there; Secret's documentation says so
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%c"} {
			texts[fmt.Sprint(i, verb)] = fmt.Sprintf(verb, w)
		}
		if text, err := json.Marshal(w); err != nil {
			texts[fmt.Sprint(i, "json")] = err.Error()
		} else {
			texts[fmt.Sprint(i, "json")] = string(text)
		}
		var out bytes.Buffer
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "k", w)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "k", w)
		texts[fmt.Sprint(i, "slog")] = out.String()
	}
	return texts
}

// TestNothingPrintsASecret holds of every exported type, and of the errors of every kind of login.
func TestNothingPrintsASecret(t *testing.T) {
	forms := map[string]string{
		"plain": theSecret, "hex": fmt.Sprintf("%x", theSecret), "HEX": fmt.Sprintf("%X", theSecret),
		"numbers": strings.Trim(fmt.Sprint([]byte(theSecret)), "[]"), "base64": base64.StdEncoding.EncodeToString([]byte(theSecret)),
	}
	all := samples(t)
	for _, name := range exported(t) {
		if all[name] == nil {
			t.Errorf("%s has no sample: add one that holds the secret", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for i, v := range all[name] {
			for how, text := range printed(v) {
				for form, needle := range forms {
					if strings.Contains(text, needle) {
						t.Errorf("%s %d (%T) shows the secret, %s, by %s: %s", name, i, v, form, how, text)
					}
				}
			}
		}
	}
}

// What a test of secrets is worth: a type that does print one is found.
func TestPrintedFindsASecret(t *testing.T) {
	for _, v := range []any{theSecret, struct{ S string }{theSecret}, errors.New(theSecret), &struct{ s Secret }{theSecret}} {
		found := false
		for _, text := range printed(v) {
			found = found || strings.Contains(text, theSecret)
		}
		if !found {
			t.Errorf("%T is not found to print the secret", v)
		}
	}
}
