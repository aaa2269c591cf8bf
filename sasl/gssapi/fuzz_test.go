package gssapi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	krbgssapi "github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// alice is who logs in here.
var alice = identity{types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, "alice"), testRealm}

// sessionKey is a key that a fuzzer does not find.
var sessionKey = types.EncryptionKey{KeyType: aes256, KeyValue: bytes.Repeat([]byte{0x5e}, 32)}

// checkError demands that an error is one line that can be shown, of bounded length, without a key.
func checkError(t *testing.T, err error, key []byte) {
	t.Helper()
	text := err.Error()
	if len(text) > 8000 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		t.Fatalf("%d bytes: %.500q", len(text), text)
	}
	for _, form := range []string{string(key), fmt.Sprintf("%x", key), fmt.Sprint(key)} {
		if len(key) > 0 && strings.Contains(text, form) {
			t.Fatalf("a key is shown: %.500q", text)
		}
	}
}

// FuzzBrokersToken takes anything for the token of a broker. The client goes on after none that was not made with the key of the
// ticket.
func FuzzBrokersToken(f *testing.F) {
	good := krbgssapi.WrapToken{Flags: 1, EC: 12, SndSeqNum: 7, Payload: []byte{1, 0, 0, 0}}
	if err := good.SetCheckSum(sessionKey, keyusage.GSSAPI_ACCEPTOR_SEAL); err != nil {
		f.Fatal(err)
	}
	token, err := good.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add(token[:20])
	f.Add([]byte{})
	refusal := messages.NewKRBError(types.PrincipalName{NameString: []string{"kafka", "b1"}}, testRealm, 37, "\x1b")
	if message, err := refusal.Marshal(); err == nil {
		f.Add(append([]byte{0x60, byte(len(message) + 13), 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 3, 0}, message...))
	}
	f.Fuzz(func(t *testing.T, challenge []byte) {
		e := &exchange{login: &login{}, who: alice, name: "kafka/b1", step: 1, ticket: &ticket{key: sessionKey, end: time.Unix(2e9, 0)}}
		_, done, err := e.Next(t.Context(), bytes.Clone(challenge))
		if done {
			t.Fatalf("%x lets the client in", challenge)
		}
		if err != nil {
			checkError(t, err, sessionKey.KeyValue)
		} else if len(challenge) > 0 && !bytes.Equal(inOrder(challenge), token) {
			t.Fatalf("%x is taken for the broker's token", challenge)
		}
	})
}

// inOrder turns back what a sender has turned (RFC 4121 §4.2.5).
func inOrder(token []byte) []byte {
	if len(token) <= 16 {
		return token
	}
	turned := int(binary.BigEndian.Uint16(token[6:8])) % (len(token) - 16)
	return bytes.Join([][]byte{token[:6], {0, 0}, token[8:16], token[16+turned:], token[16 : 16+turned]}, nil)
}

// FuzzKDCsAnswer takes anything for the answer of a KDC to a login. No ticket comes of what was not made with the client's key, and
// none has another session key than the KDC has given.
func FuzzKDCsAnswer(f *testing.F) {
	k := newFakeKDC(f)
	conf, err := loadKrb5Conf([]string{fuzzed(f, f.TempDir(), []byte(testConf))})
	if err != nil {
		f.Fatal(err)
	}
	request, err := messages.NewASReqForTGT(testRealm, conf, alice.name)
	if err != nil {
		f.Fatal(err)
	}
	request.PAData = nil
	message, err := request.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	wanted := k.handle(message)
	k.open = true
	answer := k.handle(message)
	c := &client{&network{}, conf, alice}
	key := secret{keytab: k.keys}
	good, err := c.readASReply(&request, answer, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(answer)
	f.Add(wanted)
	f.Add(answer[:len(answer)/2])
	f.Add(wanted[:len(wanted)/2])
	f.Fuzz(func(t *testing.T, reply []byte) {
		got, err := c.readASReply(&request, bytes.Clone(reply), key)
		if err != nil {
			checkError(t, err, good.key.KeyValue)
		} else if !bytes.Equal(got.key.KeyValue, good.key.KeyValue) {
			t.Fatalf("%x brings another session key", reply)
		}
		refused := &refusedError{by: "KDC"}
		if guarded("the answer", func() error { return refused.Unmarshal(bytes.Clone(reply)) }) != nil {
			return
		}
		checkError(t, refused, nil)
		var hints types.PADataSequence
		if guarded("the answer", func() error { return hints.Unmarshal(refused.EData) }) == nil {
			keyTypes(hints)
			if _, params := derivation(hints, aes256); len(params) != 0 && len(params) != 8 {
				t.Fatalf("the parameters %q are taken", params)
			}
		}
	})
}

// fuzzed writes a file and returns its path.
func fuzzed(t testing.TB, dir string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// FuzzKrb5Conf takes anything for krb5.conf. It is read, or refused, and what is read names types of keys that are in use.
func FuzzKrb5Conf(f *testing.F) {
	for _, seed := range []string{testConf, "[libdefaults]\n default_tgs_enctypes = rc4-hmac\n", "[realms]\n A = {\n kdc = a\n auth_to_local_names = {\n x = y\n }\n", "[realms]\n = {\n}}\n{\n",
		"[domain_realm]\n .a = A\n=\n", "[libdefaults]\n clockskew = -1\n renew_lifetime = 9999999999d\n", "[x\n", "#\n;\n\x00", "[libdefaults]\nudp_preference_limit = 1\nkdc_timesync = x\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if bytes.Contains(content, []byte("include")) {
			return // which files there are is not for a fuzzer to ask
		}
		conf, err := loadKrb5Conf([]string{fuzzed(t, t.TempDir(), content)})
		if err != nil {
			return // in the words of gokrb5
		}
		for _, id := range conf.LibDefaults.DefaultTGSEnctypeIDs {
			if !isAES(id) {
				t.Fatalf("%q: session keys may be of type %d", content, id)
			}
		}
		if len(conf.LibDefaults.DefaultTGSEnctypeIDs) == 0 {
			t.Fatalf("%q: there is no type for session keys", content)
		}
		conf.ResolveRealm("b1.example.test")
	})
}

// FuzzCredentialCache takes anything for a credential cache. What is read has a ticket.
func FuzzCredentialCache(f *testing.F) {
	now := time.Now()
	tgt := &ticket{Ticket: messages.Ticket{TktVNO: 5, Realm: testRealm, SName: krbtgt(testRealm), EncPart: types.EncryptedData{EType: aes256, KVNO: 1, Cipher: []byte("sealed")}},
		key: sessionKey, start: now, end: now.Add(time.Hour), renewTill: now.Add(time.Hour)}
	good := credentialCache(f, alice, tgt)
	for _, seed := range [][]byte{good, good[:len(good)-1], good[:len(good)/2], good[:30], {5, 3}, {5, 1, 0}, {5, 4, 255, 255}, {}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		l := &login{cfg: Config{ServiceName: "kafka", RenewWindowFactor: 0.8}}
		read, err := l.loadCache(fuzzed(t, t.TempDir(), content))
		if err != nil {
			checkError(t, err, sessionKey.KeyValue)
		} else if read.tgt == nil && len(read.services) == 0 {
			t.Fatalf("%x: there is no ticket in it", content)
		}
	})
}

// FuzzKeytab takes anything for a keytab. What is read has a key of the principal.
func FuzzKeytab(f *testing.F) {
	keys := keytab.New()
	addKey(f, keys, "alice", testRealm, "secret of alice")
	addKey(f, keys, "bob", testRealm, "secret of bob")
	good, err := keys.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	key, _, err := keys.GetEncryptionKey(alice.name, testRealm, 0, aes256)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{good, good[:len(good)-1], good[:len(good)/2], {5, 2}, {5, 1, 0, 0, 0, 1}, {5, 2, 0x7f, 0xff, 0xff, 0xff}, {5, 2, 0x80, 0, 0, 0}, {}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		read, err := loadKeytab(fuzzed(t, t.TempDir(), content), alice)
		if err != nil {
			checkError(t, err, key.KeyValue)
			return
		}
		for _, entry := range read.Entries {
			if entry.Principal.String() == alice.String() {
				return
			}
		}
		t.Fatalf("%x has no key of %s", content, alice)
	})
}
