package security

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl/gssapi"
)

// realm is that of the KDC that the test starts.
const realm = "EXAMPLE.TEST"

// Tickets of MIT's KDC let a producer in, by keytab and by password, in sessions that end.
func TestGSSAPI(t *testing.T) {
	t.Parallel()
	k := startKDC(t)
	s := &site{Cluster: kafka.New(t, kafka.Options{
		Listeners: []kafka.Listener{{Name: "KERBEROS", Protocol: "SASL_PLAINTEXT", Host: "localhost"}},
		JVM:       []string{"-Djava.security.krb5.conf=" + k.conf},
		Config: map[string]string{
			"listener.name.kerberos.sasl.enabled.mechanisms":          "GSSAPI",
			"listener.name.kerberos.sasl.kerberos.service.name":       "kafka",
			"listener.name.kerberos.gssapi.connections.max.reauth.ms": fmt.Sprint(shortSession.Milliseconds()),
			"listener.name.kerberos.gssapi.sasl.jaas.config": `com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true ` +
				`keyTab="` + k.path("kafka.keytab") + `" principal="kafka/localhost@` + realm + `";`,
		},
	})}
	for _, c := range []struct {
		name string
		cfg  gssapi.Config
	}{
		{"keytab", gssapi.Config{Principal: "alice", Keytab: k.path("alice.keytab")}},
		{"password", gssapi.Config{Principal: "alice@" + realm, Password: "secret"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.Krb5Conf, c.cfg.ServiceName = k.conf, "kafka"
			m, err := gssapi.New(c.cfg)
			do(t, err)
			s.delivers(t, "KERBEROS", by(m))
		})
	}
	t.Run("the full command", func(t *testing.T) { s.commandByGSSAPI(t, k) })
	t.Run("the doctor finds nothing", func(t *testing.T) {
		m, err := gssapi.New(gssapi.Config{Principal: "alice", Keytab: k.path("alice.keytab"), Krb5Conf: k.conf, ServiceName: "kafka"})
		do(t, err)
		s.well(t, "KERBEROS", by(m))
	})
	t.Run("the doctor names a wrong password", func(t *testing.T) {
		m, err := gssapi.New(gssapi.Config{Principal: "alice", Password: "guess", Krb5Conf: k.conf, ServiceName: "kafka"})
		do(t, err)
		cfg := producer.DefaultConfig(s.Listener(0, "KERBEROS"))
		cfg.SASL = m
		expect(t, cfg, producer.CheckSASL)
	})
	t.Run("sessions end under load", func(t *testing.T) {
		m, err := gssapi.New(gssapi.Config{Principal: "alice", Keytab: k.path("alice.keytab"), Krb5Conf: k.conf, ServiceName: "kafka"})
		do(t, err)
		s.sessionsEnd(t, "KERBEROS", by(m), 2*shortSession, 1)
	})
}

// A kdc is MIT's, with its files in a directory of the test's.
type kdc struct {
	dir, conf string
	address   string
	env       []string
}

func (k *kdc) path(name string) string { return filepath.Join(k.dir, name) }

// startKDC makes a realm with alice and a broker on localhost, and starts its KDC.
func startKDC(t *testing.T) *kdc {
	t.Helper()
	daemon, util, admin := daemon(t, "krb5kdc"), daemon(t, "kdb5_util"), daemon(t, "kadmin.local")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	do(t, err)
	address := listener.Addr().String()
	do(t, listener.Close())
	k := &kdc{dir: t.TempDir(), address: address}
	k.conf = k.path("krb5.conf")
	do(t, os.WriteFile(k.conf, fmt.Appendf(nil, "[libdefaults]\n default_realm = %s\n dns_lookup_kdc = false\n dns_lookup_realm = false\n"+
		" rdns = false\n udp_preference_limit = 1\n[realms]\n %s = {\n  kdc = %s\n }\n", realm, realm, address), 0o600))
	do(t, os.WriteFile(k.path("kdc.conf"), fmt.Appendf(nil, "[kdcdefaults]\n kdc_listen = \"\"\n kdc_tcp_listen = %s\n[realms]\n %s = {\n"+
		"  database_name = %s\n  key_stash_file = %s\n  acl_file = %s\n }\n", address, realm, k.path("principal"), k.path("stash"), k.path("acl")), 0o600))
	k.env = append(os.Environ(), "KRB5_CONFIG="+k.conf, "KRB5_KDC_PROFILE="+k.path("kdc.conf"))
	k.run(t, util, "create", "-s", "-P", "of the database", "-r", realm)
	for _, query := range []string{
		"addprinc -pw former alice", "addprinc -randkey kafka/localhost",
		"ktadd -k " + k.path("old.keytab") + " -norandkey alice", "cpw -pw secret alice",
		"ktadd -k " + k.path("alice.keytab") + " -norandkey alice", "ktadd -k " + k.path("kafka.keytab") + " kafka/localhost",
	} {
		k.run(t, admin, "-r", realm, "-q", query)
	}
	cmd := exec.Command(daemon, "-n", "-r", realm, "-P", k.path("pid"))
	cmd.Env = k.env
	do(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it says that it was killed
	})
	for ctx := soon(t); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			do(t, conn.Close())
			return k
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the KDC does not come up: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// daemon finds one of MIT's programs, which lie where only root's PATH leads.
func daemon(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	kafka.NotRun(t, "there is no "+name+" (Debian: krb5-kdc, krb5-admin-server)")
	return ""
}

func (k *kdc) run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Dir = k.env, k.dir
	cmd.Stdin = strings.NewReader("")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}
