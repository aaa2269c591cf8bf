package gssapi

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/crypto"
	krbgssapi "github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/epistle-kafka/epistle/sasl"
)

const testConf = `
[libdefaults]
 default_realm = EXAMPLE.TEST
 dns_lookup_kdc = false
[realms]
 EXAMPLE.TEST = {
  kdc = kdc1.example.test
 }
`

// newMechanism makes the mechanism of alice with a password, unless change says otherwise.
func newMechanism(t *testing.T, k *fakeKDC, change func(*Config)) *Mechanism {
	t.Helper()
	cfg := Config{ServiceName: "kafka", Principal: "alice", Password: "secret of alice", DialContext: k.dial}
	if change != nil {
		change(&cfg)
	}
	if cfg.Krb5Conf == "" {
		cfg.Krb5Conf = writeFile(t, "krb5.conf", testConf)
	}
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func broker(n string) sasl.Target { return sasl.Target{Host: n + ".example.test", Port: 9092} }

// begin demands that an authentication can begin.
func begin(t *testing.T, m *Mechanism, target sasl.Target) sasl.Exchange {
	t.Helper()
	e, err := m.Begin(t.Context(), target)
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	return e
}

// refuse demands an error with all of the words.
func refuse(t *testing.T, m *Mechanism, target sasl.Target, final bool, words ...string) error {
	t.Helper()
	_, err := m.Begin(t.Context(), target)
	if err == nil {
		t.Fatal("Begin succeeds")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in: %v", word, err)
		}
	}
	if sasl.IsFinal(err) != final {
		t.Errorf("final is %v: %v", !final, err)
	}
	return err
}

// An acceptor is a broker's side of one exchange.
type acceptor struct {
	keys     *keytab.Keytab
	layers   []byte                    // {1, 0, 0, 0} if nil
	mangle   func(token []byte) []byte // of its wrap token
	key      types.EncryptionKey       // of the ticket, once it is open
	client   string                    // that has proved itself
	sequence int64                     // that the client has named
	answer   func(a *acceptor) []byte  // instead of its wrap token
	ticket   messages.Ticket           // as it came
}

// authenticate runs an exchange to its end, as the engine does.
func (a *acceptor) authenticate(ctx context.Context, e sasl.Exchange) error {
	token, done, err := e.Next(ctx, nil)
	if err != nil || done {
		return errors.Join(err, errors.New("no first token"))
	}
	challenge, err := a.accept(token)
	if err != nil {
		return err
	}
	choice, done, err := e.Next(ctx, challenge)
	if err != nil || done {
		return errors.Join(err, errors.New("no choice of a layer"))
	}
	if err := a.finish(choice); err != nil {
		return err
	}
	_, done, err = e.Next(ctx, []byte{})
	if err == nil && !done {
		err = errors.New("the client is not done")
	}
	return err
}

func (a *acceptor) accept(token []byte) ([]byte, error) {
	var oid asn1.ObjectIdentifier
	rest, err := asn1.UnmarshalWithParams(token, &oid, "application,explicit,tag:0")
	if err != nil || !oid.Equal(krbgssapi.OIDKRB5.OID()) || len(rest) < 2 || rest[0] != 1 || rest[1] != 0 {
		return nil, errors.New("the token is no AP-REQ of Kerberos")
	}
	var request messages.APReq
	if err := request.Unmarshal(rest[2:]); err != nil {
		return nil, err
	}
	if ok, err := request.Verify(a.keys, 5*time.Minute, types.HostAddress{}, nil); err != nil || !ok {
		return nil, errors.Join(err, errors.New("the AP-REQ does not hold"))
	}
	if c := request.Authenticator.Cksum; c.CksumType != 0x8003 || len(c.Checksum) != 24 || c.Checksum[0] != 16 {
		return nil, errors.New("the authenticator's checksum is not that of RFC 4121")
	}
	a.ticket, a.sequence = request.Ticket, request.Authenticator.SeqNumber
	a.key = request.Ticket.DecryptedEncPart.Key
	a.client = request.Authenticator.CName.PrincipalNameString() + "@" + request.Authenticator.CRealm
	if a.answer != nil {
		return a.answer(a), nil
	}
	return a.wrap()
}

func (a *acceptor) wrap() ([]byte, error) {
	kind, err := crypto.GetEtype(a.key.KeyType)
	if err != nil {
		return nil, err
	}
	layers := a.layers
	if layers == nil {
		layers = []byte{1, 0, 0, 0}
	}
	wrapped := krbgssapi.WrapToken{Flags: 1, EC: uint16(kind.GetHMACBitLength() / 8), SndSeqNum: 7, Payload: layers}
	if err := wrapped.SetCheckSum(a.key, keyusage.GSSAPI_ACCEPTOR_SEAL); err != nil {
		return nil, err
	}
	token, err := wrapped.Marshal()
	if a.mangle != nil {
		token = a.mangle(token)
	}
	return token, err
}

func (a *acceptor) finish(choice []byte) error {
	var token krbgssapi.WrapToken
	if err := token.Unmarshal(choice, false); err != nil {
		return err
	}
	if ok, err := token.Verify(a.key, keyusage.GSSAPI_INITIATOR_SEAL); err != nil || !ok {
		return errors.Join(err, errors.New("the choice is not signed with the ticket's key"))
	}
	if string(token.Payload) != "\x01\x00\x00\x00" || int64(token.SndSeqNum) != a.sequence {
		return errors.New("the choice is not: no layer, in sequence")
	}
	return nil
}
