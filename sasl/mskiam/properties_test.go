package mskiam

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/sasl"
)

func settings(options map[string]sasl.Secret) *sasl.Settings {
	return &sasl.Settings{Mechanism: Name, Login: sasl.Login{Module: loginModule, Options: options}}
}

// The options of Java's login module mean the same here.
func TestSettings(t *testing.T) {
	for _, c := range []struct {
		options map[string]sasl.Secret
		want    Config
	}{
		{nil, Config{}},
		{map[string]sasl.Secret{"awsProfileName": "dev", "awsDebugCreds": "true"}, Config{Profile: "dev"}},
		{map[string]sasl.Secret{"awsRoleArn": "arn:aws:iam::1:role/x", "awsRoleSessionName": "orders", "awsRoleExternalId": "1",
			"awsRoleAccessKeyId": "k", "awsRoleSecretAccessKey": "s", "awsRoleSessionToken": "t", "awsStsRegion": "eu-west-1", "awsShouldUseFips": "true"},
			Config{RoleARN: "arn:aws:iam::1:role/x", RoleSessionName: "orders", RoleExternalID: "1", RoleAccessKeyID: "k",
				RoleSecretAccessKey: "s", RoleSessionToken: "t", STSRegion: "eu-west-1", FIPS: true}},
		{map[string]sasl.Secret{"awsStsRegion": "eu-west-1", "awsRoleSessionName": "x"}, Config{}},
		{map[string]sasl.Secret{"awsMaxRetries": "0", "awsMaxBackOffTimeMs": "500"}, Config{MaxRetries: -1, MaxBackoff: 500 * time.Millisecond}},
		{map[string]sasl.Secret{"awsMaxRetries": "7"}, Config{MaxRetries: 7}},
	} {
		got, err := FromSettings(settings(c.options))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %v, %v", c.options, got, err)
		}
	}
}

// What is wrong is told by the name of the option, and all at once.
func TestSettingsThatAreWrong(t *testing.T) {
	alone(t)
	for _, c := range []struct {
		options map[string]sasl.Secret
		named   []string
	}{
		{map[string]sasl.Secret{"awsProfile": "dev", "username": "hunter2"}, []string{"awsProfile", "username"}},
		{map[string]sasl.Secret{"awsDebugCreds": "maybe", "awsMaxRetries": "-1"}, []string{"awsMaxRetries", "awsDebugCreds"}},
		{map[string]sasl.Secret{"awsMaxBackOffTimeMs": "99999999999999999"}, []string{"awsMaxBackOffTimeMs"}},
		{map[string]sasl.Secret{"awsRoleSecretAccessKey": "hunter2"}, []string{"awsRoleArn"}},
		{map[string]sasl.Secret{"awsRoleArn": "role"}, []string{"awsRoleArn"}},
		{map[string]sasl.Secret{"awsRoleArn": "arn:x", "awsRoleAccessKeyId": "x"}, []string{"awsRoleAccessKeyId"}},
		{map[string]sasl.Secret{"awsRoleArn": "arn:x", "awsRoleSessionToken": "hunter2"}, []string{"awsRoleSessionToken"}},
		{map[string]sasl.Secret{"awsRoleArn": "arn:x", "awsRoleAccessKeyId": "x", "awsRoleSecretAccessKey": "hunter2", "awsProfileName": "x"}, []string{"awsProfileName"}},
		{map[string]sasl.Secret{"awsProfileName": "nobody"}, []string{""}},
	} {
		_, err := sasl.Lookup(Name)(settings(c.options))
		if err == nil {
			t.Errorf("%v is taken", c.named)
			continue
		}
		all := []error{err}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			all = joined.Unwrap()
		}
		var named []string
		for _, err := range all {
			if wrong, ok := errors.AsType[*sasl.SettingError](err); ok && wrong.Key == jaasKey {
				named = append(named, wrong.Option)
			}
		}
		if !reflect.DeepEqual(named, c.named) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("for %q: %v", c.named, err)
		}
	}
	for option, meant := range map[string]string{
		"awsProfile": "did you mean awsProfileName?", "awsprofilename": "did you mean awsProfileName?", "profileName": "did you mean awsProfileName?",
		"awsRoleARNs": "did you mean awsRoleArn?", "awsRegion": "the region is the one in the broker's name, else AWS_REGION",
	} {
		_, err := FromSettings(settings(map[string]sasl.Secret{option: "hunter2"}))
		if err == nil || !strings.Contains(err.Error(), meant) {
			t.Errorf("%s: %v", option, err)
		}
	}
	for _, option := range []string{"aws", "username"} {
		if _, err := FromSettings(settings(map[string]sasl.Secret{option: "hunter2"})); err == nil || strings.Contains(err.Error(), "; ") {
			t.Errorf("%s: %v", option, err)
		}
	}
	ignored := settings(map[string]sasl.Secret{"debug": "true"})
	ignored.Ignore = func(option string, known []string) bool {
		return option == "debug" && slices.Contains(known, "awsProfileName")
	}
	if _, err := FromSettings(ignored); err != nil {
		t.Errorf("an option of nobody's, which Java ignores: %v", err)
	}
	ignored.Login.Options = map[string]sasl.Secret{"awsNewOption": "a"}
	ignored.Ignore = func(string, []string) bool { return true }
	if _, err := FromSettings(ignored); err == nil {
		t.Error("an option of AWS's that is not known here is ignored: it may say who logs in")
	}
	other := settings(nil)
	other.Login.Module = "org.apache.kafka.common.security.plain.PlainLoginModule"
	if _, err := FromSettings(other); err == nil || !strings.Contains(err.Error(), "PlainLoginModule") {
		t.Errorf("another login module: %v", err)
	}
	other.Login.Module = "shaded." + loginModule
	if _, err := FromSettings(other); err != nil {
		t.Errorf("a shaded login module: %v", err)
	}
}

// With OAUTHBEARER and AWS's handler, the properties of a Java client get the tokens of its profile.
func TestTokensByProperties(t *testing.T) {
	alone(t)
	file := filepath.Join(t.TempDir(), "config")
	profile := "[profile dev]\nregion = eu-north-1\naws_access_key_id = " + testKey + "\naws_secret_access_key = " + testSecret + "\n"
	if err := os.WriteFile(file, []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	m, err := sasl.Lookup("OAUTHBEARER")(&sasl.Settings{
		Mechanism: "OAUTHBEARER",
		Login: sasl.Login{Module: "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule",
			Options: map[string]sasl.Secret{"awsProfileName": "dev"}},
		Keys: map[string]string{"sasl.login.callback.handler.class": tokenHandler, "sasl.client.callback.handler.class": tokenHandler},
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Begin(t.Context(), sasl.Target{Host: testBroker})
	if err != nil {
		t.Fatal(err)
	}
	message, _, err := e.Next(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSuffix(strings.TrimPrefix(string(message), "n,,\x01auth=Bearer "), "\x01\x01")
	b := &fakeBroker{host: "kafka.eu-north-1.amazonaws.com", region: "eu-north-1"}
	if err := b.token(sasl.Secret(token)); err != nil {
		t.Error(err)
	}
}
