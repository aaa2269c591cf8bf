package security

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
)

// A command is the build of epistle that has all mechanisms, with what its user has beside it: a file of settings, a file of
// records, and the environment.
type command struct {
	dir, binary string
	env         []string
	topic       string
}

// buildCommand builds it as docs/connecting.md says.
func buildCommand(t *testing.T, env []string, topic string) *command {
	t.Helper()
	c := &command{dir: t.TempDir(), env: env, topic: topic}
	c.binary = filepath.Join(c.dir, "epistle")
	if runtime.GOOS == "windows" {
		c.binary += ".exe"
	}
	build := exec.Command("go", "build", "-C", "../../cmd/epistle/full/epistle", "-o", c.binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	return c
}

// produce runs `epistle produce --config client.properties -t TOPIC events.txt`, with the lines of these two files and more of the
// environment, and returns its exit status and what it has said.
func (c *command) produce(t *testing.T, properties, events string, env ...string) (status int, said string) {
	t.Helper()
	do(t, os.WriteFile(filepath.Join(c.dir, "client.properties"), []byte(properties), 0o600))
	do(t, os.WriteFile(filepath.Join(c.dir, "events.txt"), []byte(events), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.binary, "produce", "--config", "client.properties", "-t", c.topic, "events.txt")
	cmd.Dir, cmd.Env = c.dir, slices.Concat(c.env, env)
	out, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatalf("%s: %v", cmd, err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// settings are those of a Java client, with the options of its login module.
func settings(broker, service, login string) string {
	return strings.Join([]string{"bootstrap.servers=" + broker, "security.protocol=SASL_PLAINTEXT", "sasl.mechanism=GSSAPI", "max.block.ms=4000",
		"sasl.kerberos.service.name=" + service, "sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required " + login + ";", ""}, "\n")
}

// byKeytab are options of the login module.
func (k *kdc) byKeytab(file string) string {
	return fmt.Sprintf(`useKeyTab=true storeKey=true keyTab="%s" principal="alice@%s"`, k.path(file), realm)
}

const byTicket = "useTicketCache=true"

// kinit gets alice's ticket, and returns where it is as the environment says it.
func (k *kdc) kinit(t *testing.T) (variable string) {
	t.Helper()
	variable = "KRB5CCNAME=FILE:" + k.path("tickets")
	cmd := exec.Command(daemon(t, "kinit"), "alice")
	cmd.Env, cmd.Stdin = slices.Concat(k.env, []string{variable}), strings.NewReader("secret\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return variable
}

// commandByGSSAPI sends records through the command to a broker that asks for GSSAPI.
func (s *site) commandByGSSAPI(t *testing.T, k *kdc) {
	c := buildCommand(t, k.env, s.topic(t))
	broker := s.Listener(0, "KERBEROS")
	var first, second strings.Builder
	for n := range 100 {
		fmt.Fprintln(&first, n)
		fmt.Fprintln(&second, 100+n)
	}
	if status, said := c.produce(t, settings(broker, "kafka", k.byKeytab("alice.keytab")), first.String()); status != 0 {
		t.Fatalf("by keytab: exit status %d:\n%s", status, said)
	}
	if status, said := c.produce(t, settings(broker, "kafka", byTicket), second.String(), k.kinit(t)); status != 0 {
		t.Fatalf("by kinit's ticket: exit status %d:\n%s", status, said)
	}
	s.holds(t, c.topic, 200)
}

// Whoever has a mistake with Kerberos is told which by the command, and what to do. None of these comes so far that the broker has a
// part in it: it is one of brokertest.
func TestMistakesWithGSSAPI(t *testing.T) {
	t.Parallel()
	k := startKDC(t)
	c := buildCommand(t, k.env, "orders")
	kafka := brokertest.New(t, brokertest.Topic("orders", 1), brokertest.SASL(brokertest.Plain("alice", password)))
	broker := strings.Replace(kafka.Bootstrap()[0], "127.0.0.1", "localhost", 1)
	write := func(name, text string) string {
		do(t, os.WriteFile(k.path(name), []byte(text), 0o600))
		return "KRB5_CONFIG=" + k.path(name)
	}
	noKDC := write("no-kdc.conf", fmt.Sprintf("[libdefaults]\n default_realm = %s\n udp_preference_limit = 1\n[realms]\n %s = {\n  kdc = %s\n }\n", realm, realm, nowhere))
	otherRealm := write("other-realm.conf", "[libdefaults]\n default_realm = OTHER.TEST\n dns_lookup_kdc = false\n")
	keytab := k.byKeytab("alice.keytab")
	const (
		jaas    = "epistle: line 6: sasl.jaas.config: cannot be used: gssapi: "
		refused = "epistle: bootstrap server broker:9092: SASL: getting credentials for GSSAPI: "
		waited  = `epistle: looking up topic "orders": max.block passed (4s); last failure: bootstrap server broker:9092: SASL: getting credentials for GSSAPI: `
		nothing = "; nothing was read or sent"
		help    = "\nepistle: `epistle help produce` tells how it works"
	)
	for _, m := range []struct {
		what     string
		settings string
		env      string
		status   int
		last     string // what is said at the end
	}{
		{"no keytab", settings(broker, "kafka", k.byKeytab("none.keytab")), "", 2,
			jaas + "read the keytab: open /etc/security/none.keytab: no such file or directory" + help},
		{"a keytab of another", settings(broker, "kafka", k.byKeytab("kafka.keytab")), "", 2,
			jaas + `the keytab /etc/security/kafka.keytab has no key of alice@EXAMPLE.TEST; it has keys of ["kafka/localhost@EXAMPLE.TEST"]` + help},
		{"an old keytab", settings(broker, "kafka", k.byKeytab("old.keytab")), "", 1,
			refused + "log in as alice@EXAMPLE.TEST: the KDC's answer cannot be decrypted (the key in /etc/security/old.keytab is not that of alice@EXAMPLE.TEST any more: its password was changed, or the keytab is for another realm)" + nothing},
		{"a wrong service name", settings(broker, "kafkas", keytab), "", 1,
			refused + `ticket for kafkas/localhost@EXAMPLE.TEST: KDC kdc:88 refuses: (7) KDC_ERR_S_PRINCIPAL_UNKNOWN Server not found in Kerberos database: "LOOKING_UP_SERVER" (check ServiceName (sasl.kerberos.service.name), and whether brokers advertise the host names of their principals; Canonicalize can look names up as Java does)` + nothing},
		{"no service name", settings(broker, "", keytab), "", 2,
			"epistle: line 5: sasl.kerberos.service.name = (empty): is not set: it is the first part of the brokers' principals, such as kafka" + help},
		{"no ticket", settings(broker, "kafka", byTicket), "KRB5CCNAME=FILE:" + k.path("none"), 1,
			waited + "there is no credential cache /etc/security/none (run kinit, or use a keytab)" + nothing},
		{"tickets that are in no file", settings(broker, "kafka", byTicket), "KRB5CCNAME=KEYRING:persistent:1000", 2,
			jaas + "CredentialCache is of type KEYRING, and only files are read: have kinit write one (KRB5CCNAME=FILE:/path), or use a keytab" + help},
		{"no krb5.conf", settings(broker, "kafka", keytab), "KRB5_CONFIG=" + k.path("none.conf"), 2,
			jaas + "read krb5.conf: open /etc/security/none.conf: no such file or directory (name the file in Krb5Conf, or in the environment's KRB5_CONFIG)" + help},
		{"a realm whose KDC is not known", settings(broker, "kafka", keytab), otherRealm, 1,
			waited + "log in as alice@EXAMPLE.TEST: no KDC of realm EXAMPLE.TEST is known: krb5.conf names none, and forbids to ask DNS (dns_lookup_kdc) (krb5.conf, [realms], kdc; or DNS)" + nothing},
		{"a KDC that is down", settings(broker, "kafka", keytab), noKDC, 1,
			waited + "log in as alice@EXAMPLE.TEST: no KDC of realm EXAMPLE.TEST answers: kdc:89 over tcp: kdc:89: connect: connection refused (are these its addresses, of krb5.conf or DNS, and does a firewall let port 88 through?)" + nothing},
	} {
		t.Run(m.what, func(t *testing.T) {
			began := time.Now()
			status, said := c.produce(t, m.settings, "12.50\n", m.env)
			told := c.stable(said, k, broker)
			t.Logf("after %v:\n%s", time.Since(began).Round(time.Millisecond), told)
			if status != m.status || !strings.HasSuffix(told, m.last+"\n") {
				t.Errorf("exit status %d, want %d, and at the end\n%s\nIt says\n%s", status, m.status, m.last, told)
			}
			if n := len(kafka.Records("orders", 0)); n > 0 {
				t.Errorf("there are %d records", n)
			}
		})
	}
}

// stable is what was said, without what differs from run to run.
func (c *command) stable(said string, k *kdc, broker string) string {
	said = strings.NewReplacer(k.dir, "/etc/security", c.dir, "/home/alice", broker, "broker:9092", k.address, "kdc:88", nowhere, "kdc:89").Replace(said)
	for pattern, with := range map[string]string{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`: "2026-12-01T12:00:00Z", `(since: |until )\d\d:\d\d:\d\d`: "${1}12:00:00"} {
		said = regexp.MustCompile(pattern).ReplaceAllString(said, with)
	}
	return said
}
