package gssapi

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

const (
	testRealm = "EXAMPLE.TEST"
	aes256    = etypeID.AES256_CTS_HMAC_SHA1_96
)

// A fakeKDC answers in memory for one realm, or for more that trust each other.
type fakeKDC struct {
	t    testing.TB
	keys *keytab.Keytab // of every principal, krbtgt included
	life time.Duration

	mu      sync.Mutex
	asked   []string               // "AS alice", "TGS kafka/b1", in order
	down    bool                   // connections are refused
	silent  bool                   // connections are made, and nothing is answered
	skew    time.Duration          // of its clock
	answer  map[string]int32       // error codes, by what is asked
	lead    map[string]string      // from a service to another realm
	open    bool                   // it asks for no proof before it answers
	mangled func(reply []byte) any // a []byte is sent, nothing else is
}

func newFakeKDC(t testing.TB) *fakeKDC {
	k := &fakeKDC{t: t, keys: keytab.New(), life: 10 * time.Hour, answer: map[string]int32{}, lead: map[string]string{}}
	k.add("krbtgt/"+testRealm, testRealm, "of the KDC")
	k.add("alice", testRealm, "secret of alice")
	k.add("kafka/b1.example.test", testRealm, "of broker 1")
	k.add("kafka/b2.example.test", testRealm, "of broker 2")
	return k
}

func (k *fakeKDC) add(name, realm, password string) { addKey(k.t, k.keys, name, realm, password) }

func addKey(t testing.TB, keys *keytab.Keytab, name, realm, password string) {
	t.Helper()
	if err := keys.AddEntry(name, realm, password, time.Now(), 1, aes256); err != nil {
		t.Fatal(err)
	}
}

// set changes the KDC while it runs.
func (k *fakeKDC) set(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
}

// log returns what was asked since the last call.
func (k *fakeKDC) log() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	asked := k.asked
	k.asked = nil
	return asked
}

func (k *fakeKDC) dial(ctx context.Context, network, address string) (net.Conn, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.down || network != "tcp" {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	ours, theirs := net.Pipe()
	go k.serve(theirs)
	return ours, nil
}

func (k *fakeKDC) serve(conn net.Conn) {
	defer conn.Close()
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return
	}
	message := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(conn, message); err != nil {
		return
	}
	k.mu.Lock()
	reply, silent := k.handle(message), k.silent
	var bytes any = reply
	if k.mangled != nil {
		bytes = k.mangled(reply)
	}
	k.mu.Unlock()
	if silent {
		io.Copy(io.Discard, conn) // until the client hangs up
		return
	}
	if reply, ok := bytes.([]byte); ok {
		conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(reply))), reply...))
	}
}

func (k *fakeKDC) handle(message []byte) []byte {
	if message[0] == 0x6a {
		return k.authenticate(message)
	}
	return k.grant(message)
}

func (k *fakeKDC) now() time.Time { return time.Now().UTC().Add(k.skew).Truncate(time.Second) }

func (k *fakeKDC) refuse(code int32, name types.PrincipalName, data []byte) []byte {
	refusal := messages.NewKRBError(name, testRealm, code, "")
	refusal.STime, refusal.EData = k.now(), data
	b, err := refusal.Marshal()
	if err != nil {
		k.t.Error(err)
	}
	return b
}

func (k *fakeKDC) authenticate(message []byte) []byte {
	var req messages.ASReq
	if err := req.Unmarshal(message); err != nil {
		k.t.Errorf("AS-REQ: %v", err)
	}
	body := req.ReqBody
	what := "AS " + body.CName.PrincipalNameString()
	proof := slices.IndexFunc(req.PAData, func(pa types.PAData) bool { return pa.PADataType == patype.PA_ENC_TIMESTAMP })
	if proof >= 0 || k.open {
		k.asked = append(k.asked, what) // the first half of an exchange is not worth a line
	}
	if code := k.answer[what]; code != 0 {
		return k.refuse(code, body.SName, nil)
	}
	key, _, err := k.keys.GetEncryptionKey(body.CName, body.Realm, 0, aes256)
	if err != nil {
		return k.refuse(errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, body.SName, nil)
	}
	if proof < 0 && !k.open {
		info, _ := asn1.Marshal(types.ETypeInfo2{{EType: 26}, {EType: aes256, Salt: body.CName.GetSalt(body.Realm)}})
		data, _ := asn1.Marshal(types.PADataSequence{{PADataType: patype.PA_ETYPE_INFO2, PADataValue: info}})
		return k.refuse(errorcode.KDC_ERR_PREAUTH_REQUIRED, body.SName, data)
	}
	if proof >= 0 {
		var sealed types.EncryptedData
		var stamp types.PAEncTSEnc
		sealed.Unmarshal(req.PAData[proof].PADataValue)
		plain, err := crypto.DecryptEncPart(sealed, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP)
		if err != nil || stamp.Unmarshal(plain) != nil {
			return k.refuse(errorcode.KDC_ERR_PREAUTH_FAILED, body.SName, nil)
		}
		if k.now().Sub(stamp.PATimestamp).Abs() > 5*time.Minute {
			return k.refuse(errorcode.KRB_AP_ERR_SKEW, body.SName, nil)
		}
	}
	fields := k.issue(body.CName, body.Realm, body.SName, body.Realm, body.Nonce, key, keyusage.AS_REP_ENCPART, k.now().Add(k.life))
	fields.MsgType = 11
	b, err := (&messages.ASRep{KDCRepFields: fields}).Marshal()
	if err != nil {
		k.t.Error(err)
	}
	return b
}

func (k *fakeKDC) grant(message []byte) []byte {
	var req messages.TGSReq
	var ap messages.APReq
	if err := req.Unmarshal(message); err != nil {
		k.t.Errorf("TGS-REQ: %v", err)
	}
	body := req.ReqBody
	what := "TGS " + body.SName.PrincipalNameString()
	k.asked = append(k.asked, what)
	if err := ap.Unmarshal(req.PAData[0].PADataValue); err != nil {
		k.t.Errorf("AP-REQ: %v", err)
	}
	if err := ap.Ticket.DecryptEncPart(k.keys, nil); err != nil {
		k.t.Errorf("the ticket of %s: %v", what, err)
	}
	if k.now().After(ap.Ticket.DecryptedEncPart.EndTime) {
		return k.refuse(errorcode.KRB_AP_ERR_TKT_EXPIRED, body.SName, nil)
	}
	if code := k.answer[what]; code != 0 {
		return k.refuse(code, body.SName, nil)
	}
	name := body.SName
	if realm := k.lead[what]; realm != "" && body.Realm != realm {
		if body.KDCOptions.At(15) == 0 { // canonicalize
			return k.refuse(errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, body.SName, nil)
		}
		name = krbtgt(realm)
	}
	if _, _, err := k.keys.GetEncryptionKey(name, body.Realm, 0, aes256); err != nil {
		return k.refuse(errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, body.SName, nil)
	}
	inside := ap.Ticket.DecryptedEncPart
	until := inside.EndTime // no ticket outlives the one that it is granted for
	if body.KDCOptions.At(30) == 1 {
		until = inside.RenewTill
	}
	fields := k.issue(inside.CName, inside.CRealm, name, body.Realm, body.Nonce, inside.Key, keyusage.TGS_REP_ENCPART_SESSION_KEY, until)
	fields.MsgType = 13
	b, err := (&messages.TGSRep{KDCRepFields: fields}).Marshal()
	if err != nil {
		k.t.Error(err)
	}
	return b
}

// issue makes a ticket, and the part of the answer that only the client can read.
func (k *fakeKDC) issue(client types.PrincipalName, realm string, service types.PrincipalName, serviceRealm string, nonce int, key types.EncryptionKey, usage uint32, until time.Time) messages.KDCRepFields {
	now := k.now()
	end, till := now.Add(k.life), now.Add(10*k.life)
	if until.Before(end) {
		end = until
	}
	flags := types.NewKrbFlags()
	tkt, session, err := messages.NewTicket(client, realm, service, serviceRealm, flags, k.keys, aes256, 1, now, now, end, till)
	if err != nil {
		k.t.Errorf("ticket of %v: %v", service, err)
	}
	part := messages.EncKDCRepPart{Key: session, Nonce: nonce, Flags: flags, AuthTime: now, StartTime: now, EndTime: end,
		RenewTill: till, SRealm: serviceRealm, SName: service, LastReqs: []messages.LastReq{{LRValue: now}}}
	plain, err := part.Marshal()
	if err != nil {
		k.t.Error(err)
	}
	sealed, err := crypto.GetEncryptedData(plain, key, usage, 1)
	if err != nil {
		k.t.Error(err)
	}
	return messages.KDCRepFields{PVNO: 5, CRealm: realm, CName: client, Ticket: tkt, EncPart: sealed}
}

// writeFile writes a file of a test and returns its path.
func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func writeKeytab(t *testing.T, keys *keytab.Keytab) string {
	t.Helper()
	content, err := keys.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "a.keytab", string(content))
}
