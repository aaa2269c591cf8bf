package gssapi

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// kinit logs alice in and writes her tickets as a credential cache.
func kinit(t *testing.T, k *fakeKDC, path string) {
	t.Helper()
	m := newMechanism(t, k, nil)
	begin(t, m, broker("b1"))
	have, _ := m.login.look()
	k.log()
	if err := os.WriteFile(path, credentialCache(t, have.who, have.tgt), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A damaged cache is refused. It costs no memory, whatever number it says that there are of something.
func TestADamagedCredentialCache(t *testing.T) {
	now := time.Now()
	tgt := &ticket{Ticket: messages.Ticket{TktVNO: 5, Realm: testRealm, SName: krbtgt(testRealm), EncPart: types.EncryptedData{EType: aes256, KVNO: 1, Cipher: []byte("sealed")}},
		key: sessionKey, start: now, end: now.Add(time.Hour), renewTill: now.Add(time.Hour)}
	good := credentialCache(t, alice, tgt)
	if file, err := parseCache(good); err != nil || file.owner.String() != alice.String() || len(file.entries) != 1 || !bytes.Equal(file.entries[0].key.KeyValue, sessionKey.KeyValue) {
		t.Fatalf("got %v of %v, %v", file.entries, file.owner, err)
	}
	for n := range good {
		whole := n == bytes.Index(good, []byte("\x00\x00\x00\x05alice"))+9 // the owner without a ticket
		if file, err := parseCache(good[:n]); (err == nil) != whole {
			t.Errorf("of %d bytes %d are a cache: %v, %v", len(good), n, file, err)
		}
	}
	for at := 4; at+4 <= len(good); at++ {
		huge := bytes.Clone(good)
		copy(huge[at:], []byte{0x7f, 0xff, 0xff, 0xff})
		if used := testing.AllocsPerRun(1, func() { parseCache(huge) }); used > 1000 {
			t.Errorf("%v allocations with a huge number at byte %d", used, at)
		}
	}
}

// credentialCache makes one of version 4, with one ticket.
func credentialCache(t testing.TB, who identity, tgt *ticket) []byte {
	t.Helper()
	var b bytes.Buffer
	b.Write([]byte{5, 4, 0, 0})
	put := func(v any) { binary.Write(&b, binary.BigEndian, v) }
	data := func(s []byte) { put(uint32(len(s))); b.Write(s) }
	principal := func(name types.PrincipalName, realm string) {
		put(name.NameType)
		put(uint32(len(name.NameString)))
		data([]byte(realm))
		for _, part := range name.NameString {
			data([]byte(part))
		}
	}
	principal(who.name, who.realm)
	principal(who.name, who.realm)
	principal(tgt.SName, tgt.Realm)
	put(uint16(tgt.key.KeyType))
	data(tgt.key.KeyValue)
	for _, at := range []time.Time{tgt.start, tgt.start, tgt.end, tgt.renewTill} {
		put(uint32(at.Unix()))
	}
	put(uint8(0))
	put(uint32(0))
	put(uint32(0))
	put(uint32(0))
	encoded, err := tgt.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	data(encoded)
	data(nil)
	return b.Bytes()
}

func withCache(path string, more func(*Config)) func(*Config) {
	return func(cfg *Config) {
		cfg.Principal, cfg.Password, cfg.CredentialCache = "", "", "FILE:"+path
		if more != nil {
			more(cfg)
		}
	}
}

// The tickets of a credential cache are used as long as they are good; those of a newer one follow.
func TestACredentialCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		path := filepath.Join(t.TempDir(), "cache")
		m := newMechanism(t, k, withCache(path, nil))
		refuse(t, m, broker("b1"), false, "there is no credential cache "+path, "run kinit")
		kinit(t, k, path)
		a := &acceptor{keys: k.keys}
		if err := a.authenticate(t.Context(), begin(t, m, broker("b1"))); err != nil || a.client != "alice@EXAMPLE.TEST" {
			t.Fatalf("%v, the broker has heard of %s", err, a.client)
		}
		if got, want := k.log(), []string{"TGS kafka/b1.example.test"}; !slices.Equal(got, want) {
			t.Errorf("the KDC was asked %q", got)
		}
		time.Sleep(k.life)
		refuse(t, m, broker("b1"), false, "the tickets of the credential cache "+path+" ended at 2000-01-01T10:00:00Z", "run kinit")
		kinit(t, k, path)
		begin(t, m, broker("b1"))
	})
}

// With a keytab beside the cache, the keytab is used while the cache is of no use.
func TestACacheBesideAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		path := filepath.Join(t.TempDir(), "cache")
		m := newMechanism(t, k, withCache(path, func(cfg *Config) { cfg.Principal, cfg.Password = "alice", "secret of alice" }))
		begin(t, m, broker("b1"))
		if got := k.log(); len(got) != 2 {
			t.Errorf("the KDC was asked %q", got)
		}
		kinit(t, k, path)
		begin(t, m, broker("b1"))
		if got, want := k.log(), []string{"TGS kafka/b1.example.test"}; !slices.Equal(got, want) {
			t.Errorf("with a cache the KDC was asked %q", got)
		}
	})
}

// The tickets of a cache are renewed where that was asked for, and not else.
func TestTicketsOfACacheAreRenewed(t *testing.T) {
	for _, renew := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := newFakeKDC(t)
			path := filepath.Join(t.TempDir(), "cache")
			kinit(t, k, path)
			m := newMechanism(t, k, withCache(path, func(cfg *Config) { cfg.RenewTickets = renew }))
			begin(t, m, broker("b1"))
			time.Sleep(k.life * 9 / 10)
			begin(t, m, broker("b1"))
			synctest.Wait()
			time.Sleep(k.life / 2)
			_, err := m.Begin(t.Context(), broker("b1"))
			if (err == nil) != renew {
				t.Errorf("renewed %v: %v", renew, err)
			}
			if renew != slices.Contains(k.log(), "TGS krbtgt/EXAMPLE.TEST") {
				t.Errorf("renewed %v, and the KDC knows nothing of it", renew)
			}
		})
	}
}

// A cache of somebody else is not used.
func TestACacheOfSomebodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		path := filepath.Join(t.TempDir(), "cache")
		kinit(t, k, path)
		m := newMechanism(t, k, withCache(path, func(cfg *Config) { cfg.Principal = "bob" }))
		refuse(t, m, broker("b1"), false, `is of "alice@EXAMPLE.TEST", and Principal is bob@EXAMPLE.TEST`)
	})
}

// A cache that is cut short anywhere is an error, and what was read before stays in use.
func TestACacheThatIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKDC(t)
		path := filepath.Join(t.TempDir(), "cache")
		kinit(t, k, path)
		m := newMechanism(t, k, withCache(path, nil))
		begin(t, m, broker("b1"))
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(whole) {
			if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := m.login.loadCache(path); err == nil {
				t.Fatalf("%d of %d bytes are a cache", n, len(whole))
			}
		}
		begin(t, m, broker("b2"))
	})
}
