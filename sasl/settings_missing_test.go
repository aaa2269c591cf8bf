package sasl

import (
	"strings"
	"testing"
)

// A misspelt option leaves the right one missing. One error tells both.
func TestMisspeltOptionIsToldWithTheMissingOne(t *testing.T) {
	for _, tc := range []struct{ mechanism, module, wrong, right, missing string }{
		{plainName, "org.apache.kafka.common.security.plain.PlainLoginModule", "pasword", "username", "password"},
		{plainName, "org.apache.kafka.common.security.plain.PlainLoginModule", "usrname", "password", "username"},
		{scramSHA256, "org.apache.kafka.common.security.scram.ScramLoginModule", "pasword", "username", "password"},
	} {
		build := buildPlain
		if tc.mechanism != plainName {
			build = buildScram
		}
		_, err := build(&Settings{Mechanism: tc.mechanism, Login: Login{Module: tc.module, Options: map[string]Secret{tc.wrong: "x", tc.right: "y"}}})
		if err == nil || !strings.Contains(err.Error(), "is no option of") || !strings.Contains(err.Error(), tc.missing) || !strings.Contains(err.Error(), "is not set, and") {
			t.Errorf("%s with %s: %v", tc.mechanism, tc.wrong, err)
		}
	}
}
