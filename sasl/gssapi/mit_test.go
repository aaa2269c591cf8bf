package gssapi

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/keytab"

	"github.com/epistle-kafka/epistle/sasl"
)

// program finds one of MIT's programs, which lie where only root's PATH leads. Without it the test is not run.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	notRun(t, "there is no "+name+" (Debian: krb5-kdc, krb5-admin-server and krb5-user)")
	return ""
}

// notRun ends a test for want of something, and notes that where `make test` looks.
func notRun(t *testing.T, why string) {
	t.Helper()
	_ = os.Getenv("NOTRUN_ROUND") // as internal/notrun says, which a mechanism apart does not import
	if name := os.Getenv("NOTRUN_FILE"); name != "" {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = fmt.Fprintf(f, "%s: %s\n", t.Name(), why)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatalf("not run (%s), and that cannot be noted: %v", why, err)
		}
	}
	t.Skip("not run: " + why)
}

// A mitKDC is MIT's KDC, with its files in a directory of the test's.
type mitKDC struct {
	dir, conf string
	env       []string
}

// startMIT makes a realm with alice and a broker on localhost, and starts its KDC.
func startMIT(t *testing.T) *mitKDC {
	t.Helper()
	daemon, util, admin := program(t, "krb5kdc"), program(t, "kdb5_util"), program(t, "kadmin.local")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	k := &mitKDC{dir: t.TempDir()}
	k.conf = k.write(t, "krb5.conf", "[libdefaults]\n default_realm = EXAMPLE.TEST\n dns_lookup_kdc = false\n dns_lookup_realm = false\n rdns = false\n"+
		"[realms]\n EXAMPLE.TEST = {\n  kdc = "+address+"\n }\n")
	port := address[strings.LastIndexByte(address, ':')+1:]
	profile := k.write(t, "kdc.conf", "[kdcdefaults]\n kdc_listen = \"\"\n kdc_tcp_listen = 127.0.0.1:"+port+"\n[realms]\n EXAMPLE.TEST = {\n"+
		"  database_name = "+filepath.Join(k.dir, "principal")+"\n  key_stash_file = "+filepath.Join(k.dir, "stash")+"\n"+
		"  acl_file = "+filepath.Join(k.dir, "acl")+"\n  max_renewable_life = 7d\n }\n[logging]\n kdc = FILE:"+filepath.Join(k.dir, "kdc.log")+"\n")
	k.env = append(os.Environ(), "KRB5_CONFIG="+k.conf, "KRB5_KDC_PROFILE="+profile, "KRB5CCNAME=FILE:"+k.path("cache"))
	k.run(t, util, "create", "-s", "-P", "of the database", "-r", testRealm)
	for _, query := range []string{
		"addprinc -pw secret alice", "addprinc -randkey kafka/localhost", "addprinc +requires_preauth -pw other bob",
		"ktadd -k " + k.path("alice.keytab") + " -norandkey alice", "ktadd -k " + k.path("kafka.keytab") + " kafka/localhost",
	} {
		k.run(t, admin, "-r", testRealm, "-q", query)
	}
	cmd := exec.Command(daemon, "-n", "-r", testRealm, "-P", k.path("pid"))
	cmd.Env = k.env
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return k
		} else if time.Since(start) > time.Minute {
			log, _ := os.ReadFile(k.path("kdc.log"))
			t.Fatalf("the KDC does not come up: %v\n%s", err, log)
		}
	}
}

func (k *mitKDC) path(name string) string { return filepath.Join(k.dir, name) }

func (k *mitKDC) write(t *testing.T, name, content string) string {
	t.Helper()
	if err := os.WriteFile(k.path(name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return k.path(name)
}

func (k *mitKDC) run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Dir = k.env, k.dir
	cmd.Stdin = strings.NewReader("secret\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// Against MIT's KDC the client logs in by keytab, by password and from the cache that kinit writes, and the broker's keytab
// opens the ticket.
func TestAgainstMITsKDC(t *testing.T) {
	k := startMIT(t)
	brokers, err := keytab.Load(k.path("kafka.keytab"))
	if err != nil {
		t.Fatal(err)
	}
	target := sasl.Target{Host: "localhost", Port: 9092}
	for _, c := range []struct {
		name  string
		cfg   Config
		words string // of a final error; "": it succeeds
	}{
		{"keytab", Config{Principal: "alice", Keytab: k.path("alice.keytab")}, ""},
		{"password", Config{Principal: "alice@EXAMPLE.TEST", Password: "secret"}, ""},
		{"password, with proof", Config{Principal: "bob", Password: "other"}, ""},
		{"credential cache", Config{CredentialCache: k.path("cache"), RenewTickets: true}, ""},
		{"wrong password", Config{Principal: "bob", Password: "guess"}, "the password of bob@EXAMPLE.TEST is wrong"},
		{"wrong password, without proof", Config{Principal: "alice", Password: "guess"}, "the password of alice@EXAMPLE.TEST is wrong"},
		{"unknown principal", Config{Principal: "carol", Password: "x"}, "there is no principal carol@EXAMPLE.TEST"},
		{"unknown service", Config{Principal: "alice", Password: "secret", ServiceName: "kafkax"}, "ticket for kafkax/localhost@EXAMPLE.TEST: KDC 127.0.0.1:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.cfg.CredentialCache != "" {
				k.run(t, program(t, "kinit"), "-r", "1d", "alice")
			}
			if c.cfg.ServiceName == "" {
				c.cfg.ServiceName = "kafka"
			}
			c.cfg.Krb5Conf = k.conf
			m, err := New(c.cfg)
			if err != nil {
				t.Fatal(err)
			}
			if c.words != "" {
				refuse(t, m, target, true, c.words)
				return
			}
			a := &acceptor{keys: brokers}
			if err := a.authenticate(t.Context(), begin(t, m, target)); err != nil {
				t.Fatal(err)
			}
			if want := "alice@EXAMPLE.TEST"; a.client != want && c.cfg.Principal != "bob" {
				t.Errorf("the broker has heard of %s", a.client)
			}
			if c.cfg.RenewTickets {
				have, _ := m.login.look()
				if _, err := m.login.renew(t.Context(), have.tgt); err != nil {
					t.Errorf("renew: %v", err)
				}
			}
		})
	}
}
