package gssapi

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	krbgssapi "github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/epistle-kafka/epistle/sasl"
)

// An exchange is the client's part of RFC 4752: the ticket; the broker's security layers, of which Kafka has none; our
// choice of none.
type exchange struct {
	login  *login
	who    identity
	name   string // of the broker's principal
	ticket *ticket

	step     int
	sequence uint64 // of the wrap token that is sent next
}

// Format shows nothing of the ticket.
func (e *exchange) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "exchange with %s", e.name) }

// noLayer is what both sides say: no security layer, and so no largest message.
var noLayer = []byte{1, 0, 0, 0}

func (e *exchange) Next(_ context.Context, challenge []byte) (response []byte, done bool, err error) {
	switch e.step {
	case 0:
		e.step++
		response, err = e.firstToken()
	case 1, 2:
		if len(challenge) == 0 && e.step == 1 {
			e.step++ // RFC 4752 §3.1: an acceptor without a token is sent an empty one
			return []byte{}, false, nil
		}
		e.step = 3
		response, err = e.chooseLayer(challenge)
	default:
		if len(challenge) > 0 {
			err = fmt.Errorf("the broker goes on after the end of GSSAPI, with %d bytes", len(challenge))
		}
		return nil, err == nil, err
	}
	return response, false, err
}

// firstToken is the AP-REQ (RFC 4121 §4.1): the ticket, and the proof that we have its key.
func (e *exchange) firstToken() ([]byte, error) {
	auth, err := types.NewAuthenticator(e.who.realm, e.who.name)
	if err != nil {
		return nil, err
	}
	e.sequence = uint64(auth.SeqNumber)
	auth.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: contextChecksum()}
	request, err := messages.NewAPReq(e.ticket.Ticket, e.ticket.key, auth)
	if err != nil {
		return nil, err
	}
	message, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	token, err := asn1.Marshal(krbgssapi.OIDKRB5.OID())
	if err != nil {
		return nil, err
	}
	return asn1tools.AddASNAppTag(append(append(token, tokenAPReq...), message...), 0), nil
}

var tokenAPReq, tokenError = []byte{1, 0}, []byte{3, 0}

// contextChecksum has no channel bindings, and the flags of a context that can wrap. The broker is not asked to prove
// itself by an AP-REP: its wrap token does, which only who can open the ticket can make.
func contextChecksum() []byte {
	sum := make([]byte, 24)
	binary.LittleEndian.PutUint32(sum, 16)
	binary.LittleEndian.PutUint32(sum[20:], krbgssapi.ContextFlagInteg|krbgssapi.ContextFlagConf)
	return sum
}

func (e *exchange) chooseLayer(challenge []byte) ([]byte, error) {
	layers, err := e.unwrap(challenge)
	if err != nil {
		return nil, err
	}
	if len(layers) != 4 {
		return nil, fmt.Errorf("the broker's security layers are %d bytes, and not 4", len(layers))
	}
	if layers[0]&noLayer[0] == 0 {
		return nil, sasl.Final(fmt.Errorf("the broker demands a security layer of GSSAPI (it offers %#02x): Kafka has none, use SASL_SSL", layers[0]))
	}
	return e.wrap(noLayer)
}

// wrap makes a token of RFC 4121 §4.2.6.2, which is signed and not sealed.
func (e *exchange) wrap(payload []byte) ([]byte, error) {
	kind, err := crypto.GetEtype(e.ticket.key.KeyType)
	if err != nil {
		return nil, err
	}
	token := krbgssapi.WrapToken{EC: uint16(kind.GetHMACBitLength() / 8), SndSeqNum: e.sequence, Payload: payload}
	if err := token.SetCheckSum(e.ticket.key, keyusage.GSSAPI_INITIATOR_SEAL); err != nil {
		return nil, err
	}
	return token.Marshal()
}

// unwrap opens a token of the broker's.
func (e *exchange) unwrap(challenge []byte) ([]byte, error) {
	if refused := brokerError(challenge); refused != nil {
		if refused.ErrorCode == errorcode.KRB_AP_ERR_SKEW {
			return nil, fmt.Errorf("%w (%w)", refused, &skewError{refused.at, refused.STime, "the broker's"})
		}
		return nil, fmt.Errorf("%w (%s)", refused, e.Explain(""))
	}
	const header = 16
	if len(challenge) < header {
		return nil, fmt.Errorf("the broker's token has %d bytes: it is no wrap token of RFC 4121", len(challenge))
	}
	challenge = slices.Clone(challenge)
	if body := challenge[header:]; len(body) > 0 {
		turned := int(binary.BigEndian.Uint16(challenge[6:8])) % len(body) // RRC: what Windows has put in front
		copy(body, append(slices.Clone(body[turned:]), body[:turned]...))
	}
	var token krbgssapi.WrapToken
	if err := guarded("the broker's token", func() error { return token.Unmarshal(challenge, true) }); err != nil {
		return nil, fmt.Errorf("the broker's token: %w", err)
	}
	if token.Flags&^1 != 0 {
		return nil, fmt.Errorf("the broker's token has the flags %#02x: it is sealed, or made with a key that was not agreed upon", token.Flags)
	}
	if ok, err := token.Verify(e.ticket.key, keyusage.GSSAPI_ACCEPTOR_SEAL); err != nil || !ok {
		return nil, fmt.Errorf("the broker's token is not signed with the key of the ticket for %s: who answers is not that broker", e.name)
	}
	return token.Payload, nil
}

// brokerError reads the KRB-ERROR that some acceptors answer with, nil if it is none.
func brokerError(challenge []byte) *refusedError {
	refused := &refusedError{by: "the broker", at: time.Now()}
	err := guarded("the broker's token", func() error {
		var oid asn1.ObjectIdentifier
		rest, err := asn1.UnmarshalWithParams(challenge, &oid, "application,explicit,tag:0")
		if err != nil || len(rest) < 2 || !slices.Equal(rest[:2], tokenError) {
			return errors.New("none")
		}
		return refused.Unmarshal(rest[2:])
	})
	if err != nil {
		return nil
	}
	return refused
}

// Explain says what a refusal may be for: Kafka's words never do. The ticket is not used again, since a new one may be
// made with a newer key.
func (e *exchange) Explain(string) string {
	e.login.forget(e.name, e.ticket)
	return fmt.Sprintf("the ticket is for %s@%s, key version %d, %s, ends %s: the broker's keytab may lack that key, or its clock may be off; "+
		"or it is another principal than that (ServiceName, sasl.kerberos.service.name); or its sasl.kerberos.principal.to.local.rules do not take %s",
		e.name, e.ticket.Realm, e.ticket.EncPart.KVNO, typeNames([]int32{e.ticket.EncPart.EType}), e.ticket.end.UTC().Format("2006-01-02T15:04:05Z"), e.who)
}

// isAES says that a type is one of those that sign tokens by RFC 4121 and are still in use (RFC 3962, RFC 8009).
func isAES(id int32) bool {
	return id == etypeID.AES256_CTS_HMAC_SHA1_96 || id == etypeID.AES128_CTS_HMAC_SHA1_96 ||
		id == etypeID.AES256_CTS_HMAC_SHA384_192 || id == etypeID.AES128_CTS_HMAC_SHA256_128
}
