package gssapi

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
)

// What distributions write into krb5.conf is understood: files that include others, sections that come twice, blocks in the
// block of a realm, comments.
func TestKrb5ConfAsDistributionsWriteIt(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("snippets/realm_b", "[realms]\nB.TEST = {\n kdc = b1.test:750\n}\n")
	write("snippets/left.out", "[libdefaults]\nthis is no configuration\n")
	write("snippets/.hidden", "this is none either\n")
	write("more.conf", "[domain_realm]\n.b.test = B.TEST\n")
	main := write("krb5.conf", `# as RHEL does
includedir `+dir+`/snippets/
include `+dir+`/more.conf
[logging]
 default = FILE:/var/log/krb5libs.log
[libdefaults]
 default_realm = A.TEST ; the first
 permitted_enctypes = aes256-cts
[realms]
 A.TEST = {
  kdc = a1.test
  auth_to_local_names = {
   alice = bob
  }
  kdc = a2.test
 }
[appdefaults]
 pam = {
  ticket_lifetime = 1d
 }
`)
	conf, err := loadKrb5Conf([]string{filepath.Join(dir, "not there"), main})
	if err != nil {
		t.Fatal(err)
	}
	n := &network{}
	for realm, want := range map[string][]string{"A.TEST": {"a1.test:88", "a2.test:88"}, "B.TEST": {"b1.test:750"}} {
		if got, err := n.kdcs(t.Context(), conf, realm); err != nil || !slices.Equal(got, want) {
			t.Errorf("the KDCs of %s are %q, %v", realm, got, err)
		}
	}
	if got := conf.ResolveRealm("x.b.test"); got != "B.TEST" || conf.LibDefaults.DefaultRealm != "A.TEST" {
		t.Errorf("x.b.test is in %q, the realm is %q", got, conf.LibDefaults.DefaultRealm)
	}
	for _, id := range conf.LibDefaults.DefaultTGSEnctypeIDs {
		if !isAES(id) {
			t.Errorf("a session key may be of type %d", id)
		}
	}
	if !slices.Contains(conf.LibDefaults.DefaultTktEnctypeIDs, etypeID.AES256_CTS_HMAC_SHA1_96) {
		t.Error("no login with AES")
	}
}

func TestKrb5ConfThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	loop := filepath.Join(dir, "loop")
	os.WriteFile(loop, []byte("include "+loop+"\n"), 0o600)
	t.Setenv("KRB5_CONFIG", filepath.Join(dir, "not there")+string(os.PathListSeparator)+filepath.Join(dir, "nor there"))
	for _, c := range []struct{ path, words string }{
		{"", "KRB5_CONFIG"},
		{loop, "include each other"},
		{writeFile(t, "a", "[libdefaults]\n clockskew = soon\n"), "clockskew"},
		{writeFile(t, "b", "[libdefaults]\n default_tgs_enctypes = rc4-hmac\n"), "names no AES"},
		{writeFile(t, "c", "[libdefaults]\n no_value\n"), "no_value"},
	} {
		if _, err := loadKrb5Conf(krb5ConfFiles(c.path)); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", c.path, err)
		}
	}
}

// A fakeResolver knows b1, whose alias is kafka, and 10.0.0.1, which is its address.
type fakeResolver struct{ srv []*net.SRV }

func (fakeResolver) LookupCNAME(_ context.Context, host string) (string, error) {
	if host == "kafka.example.test" {
		return "B1.example.test.", nil
	}
	return "", &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (fakeResolver) LookupHost(_ context.Context, host string) ([]string, error) {
	return []string{"10.0.0.1"}, nil
}

func (fakeResolver) LookupAddr(_ context.Context, address string) ([]string, error) {
	if address == "10.0.0.1" {
		return []string{"b1.example.test.", "other.example.test."}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
}

func (r fakeResolver) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if len(r.srv) == 0 {
		return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return "", r.srv, nil
}

func TestTheHostOfAPrincipal(t *testing.T) {
	for _, c := range []struct {
		how        Canonicalize
		host, want string // "": an error that names the host
	}{
		{CanonicalizeIP, "kafka.example.test", "kafka.example.test"},
		{CanonicalizeIP, "Kafka.Example.Test.", "kafka.example.test"},
		{CanonicalizeIP, "10.0.0.1", "b1.example.test"},
		{CanonicalizeIP, "10.0.0.2", ""},
		{CanonicalizeIP, "fe80::1%eth0", ""},
		{CanonicalizeNever, "10.0.0.1", "10.0.0.1"},
		{CanonicalizeForward, "kafka.example.test", "b1.example.test"},
		{CanonicalizeForward, "10.0.0.1", "10.0.0.1"},
		{CanonicalizeForward, "nobody.example.test", ""},
		{CanonicalizeReverse, "kafka.example.test", "b1.example.test"},
		{CanonicalizeReverse, "10.0.0.1", "b1.example.test"},
	} {
		got, err := principalHost(t.Context(), fakeResolver{}, c.how, c.host)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%v, %s: %q, %v", c.how, c.host, got, err)
		}
		host, _, _ := strings.Cut(c.host, "%")
		if err != nil && !strings.Contains(err.Error(), host) {
			t.Errorf("%v, %s: the host is not named: %v", c.how, c.host, err)
		}
	}
}

// KDCs that krb5.conf does not name are those of DNS, unless it forbids that. The one that has answered is asked first.
func TestWhereKDCsAreFound(t *testing.T) {
	conf, err := loadKrb5Conf([]string{writeFile(t, "krb5.conf", "[libdefaults]\n default_realm = A.TEST\n")})
	if err != nil {
		t.Fatal(err)
	}
	n := &network{resolve: fakeResolver{srv: []*net.SRV{{Target: "k1.test.", Port: 88}, {Target: "k2.test.", Port: 750}}}}
	kdcs, err := n.kdcs(t.Context(), conf, "A.TEST")
	if err != nil || !slices.Equal(kdcs, []string{"k1.test:88", "k2.test:750"}) {
		t.Errorf("%q, %v", kdcs, err)
	}
	n.last = way{"udp", "k2.test:750"}
	if got := n.ways(kdcs, false); got[0] != n.last || len(got) != 4 {
		t.Errorf("the ways are %v", got)
	}
	if got := n.ways(kdcs, true); len(got) != 2 || got[1].protocol != "tcp" {
		t.Errorf("by TCP alone the ways are %v", got)
	}
	conf.LibDefaults.DNSLookupKDC = false
	if _, err := n.ask(t.Context(), conf, "A.TEST", nil); err == nil || !strings.Contains(err.Error(), "dns_lookup_kdc") {
		t.Errorf("without DNS: %v", err)
	}
	conf.LibDefaults.DNSLookupKDC = true
	n.resolve = fakeResolver{}
	_, err = n.ask(t.Context(), conf, "A.TEST", nil)
	if err == nil || !strings.Contains(err.Error(), "_kerberos._tcp.A.TEST") {
		t.Errorf("DNS knows none: %v", err)
	}
	if _, ok := errors.AsType[*net.DNSError](err); !ok {
		t.Error("the cause cannot be found")
	}
}

// A KDC that is on UDP alone is reached, and TCP is not tried again before it.
func TestAKDCOnUDP(t *testing.T) {
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			packets.WriteTo(append([]byte("answer to "), buffer[:n]...), from)
		}
	}()
	var dialled []string
	n := &network{dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled = append(dialled, network)
		if network == "tcp" {
			return nil, errors.New("no TCP here")
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	conf, err := loadKrb5Conf([]string{writeFile(t, "krb5.conf", "[realms]\n A.TEST = {\n kdc = "+packets.LocalAddr().String()+"\n}\n")})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		reply, err := n.ask(t.Context(), conf, "A.TEST", []byte("a question"))
		if err != nil || string(reply) != "answer to a question" {
			t.Errorf("%q, %v", reply, err)
		}
	}
	if !slices.Equal(dialled, []string{"tcp", "udp", "udp"}) {
		t.Errorf("dialled %q", dialled)
	}
}
