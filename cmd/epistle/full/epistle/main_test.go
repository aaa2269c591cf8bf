package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/app"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// alone keeps a test away from what Kerberos and AWS are on this machine. AWS's credentials are in the environment.
func alone(t *testing.T) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "krb5.conf")
	if err := os.WriteFile(conf, []byte("[libdefaults]\n  default_realm = EXAMPLE.COM\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"KRB5_CONFIG": conf, "KRB5CCNAME": "FILE:" + filepath.Join(dir, "tickets"),
		"AWS_CONFIG_FILE": filepath.Join(dir, "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "none"), "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_REGION": "eu-west-1",
	} {
		t.Setenv(name, value)
	}
}

// run runs the program to its end, and returns its exit status and all that it has said.
func run(stdin string, args ...string) (status int, said string) {
	var stdout, stderr bytes.Buffer
	env := &cli.Env{Stdin: strings.NewReader(stdin), Stdout: &stdout, Screen: ui.NewScreen(&stderr, false, nil)}
	status = app.Run(env, args)
	return status, stdout.String() + stderr.String()
}

func TestAllMechanismsAreHere(t *testing.T) {
	for _, command := range []string{"help", "version"} {
		_, said := run("", command)
		if want := "SASL mechanisms: AWS_MSK_IAM, GSSAPI, OAUTHBEARER, PLAIN, SCRAM-SHA-256, SCRAM-SHA-512\n"; !strings.Contains(said, want) || strings.Contains(said, "Not in this build") {
			t.Errorf("epistle %s does not say %q, and that it lacks nothing:\n%s", command, want, said)
		}
	}
}

// AWS's credentials are those of the environment, and nothing of them is on the command line or is shown.
func TestLoginByAWSsCredentials(t *testing.T) {
	alone(t)
	var came atomic.Int64
	kafka := brokertest.New(t, brokertest.Topic("orders", 1), brokertest.SASL(brokertest.OAuthBearer(func(token string) error {
		came.Add(1)
		text, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || !strings.Contains(string(text), accessKey) || !strings.Contains(string(text), "kafka.eu-west-1.amazonaws.com") {
			return errors.New("the token is not one of these credentials")
		}
		return nil
	})))
	status, said := run("12.50\n", "produce", "-b", strings.Join(kafka.Bootstrap(), ","), "-t", "orders",
		"-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=OAUTHBEARER",
		"-X", "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;",
		"-X", "sasl.login.callback.handler.class=software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler")
	if status != 0 || came.Load() == 0 || len(kafka.Records("orders", 0)) != 1 {
		t.Errorf("exit status %d, %d tokens, %d records; want one record:\n%s", status, came.Load(), len(kafka.Records("orders", 0)), said)
	}
	if strings.Contains(said, secretKey) {
		t.Errorf("the secret is shown:\n%s", said)
	}
}

// A user name is of no use to mechanisms that do not log in with one. What they take instead is said.
func TestUserForMechanismsWithoutOne(t *testing.T) {
	for mechanism, want := range map[string]string{"GSSAPI": "-X sasl.kerberos.keytab=FILE", "AWS_MSK_IAM": "AWS_PROFILE"} {
		status, said := run("", "produce", "-b", "h:1", "-t", "t", "-X", "security.protocol=SASL_SSL", "-X", "sasl.mechanism="+mechanism, "--user", "alice")
		if status != 2 || !strings.Contains(said, mechanism+" does not log in with a user name and a password: ") || !strings.Contains(said, want) {
			t.Errorf("%s: exit status %d, want 2, and no %q in:\n%s", mechanism, status, want, said)
		}
	}
}

// The lines of docs/connecting.md are taken as they are. They come as far as they can without a keytab, a ticket, and brokers
// of Amazon's. Nothing is told to be a secret that others can read.
func TestLinesOfConnecting(t *testing.T) {
	alone(t)
	kafka := brokertest.New(t, brokertest.Topic("orders", 1), brokertest.SASL(brokertest.Plain("alice", "pencil")))
	page, err := os.ReadFile("../../../../docs/connecting.md")
	if err != nil {
		t.Fatal(err)
	}
	wants := []string{"/etc/security/orders.keytab", "run kinit, or use a keytab", "refused AWS_MSK_IAM"}
	lines := regexp.MustCompile(`(?m)^    bin/epistle ((?:.*\\\n)*.*)$`).FindAllStringSubmatch(string(page), -1)
	if len(lines) != len(wants) {
		t.Fatalf("the page has %d lines of this command, want %d", len(lines), len(wants))
	}
	for i, line := range lines {
		args := words(line[1])
		if args[len(args)-1] != "events.txt" {
			t.Errorf("%q: the last word is not the file", line[1])
		}
		args = append(args[:len(args)-1], "-b", strings.Join(kafka.Bootstrap(), ","), "-X", "security.protocol=SASL_PLAINTEXT", "-X", "max.block.ms=1000")
		status, said := run("12.50\n", args...)
		if status == 0 || !strings.Contains(said, wants[i]) || strings.Contains(said, "ps shows it") {
			t.Errorf("%s\nexit status %d; want %q in:\n%s", line[1], status, wants[i], said)
		}
	}
}

// words are those that a shell makes of a line that has no quotes but single ones.
func words(line string) (words []string) {
	line = strings.ReplaceAll(line, "\\\n", " ")
	for _, found := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		words = append(words, found[1]+found[2])
	}
	return words
}
