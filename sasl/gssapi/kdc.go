package gssapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/epistle-kafka/epistle/sasl"
)

// The exchanges with a KDC (RFC 4120 §3.1 and §3.3) are made of gokrb5's messages, and not of its client: that one cannot be
// stopped by a context, tells errors as text, takes a length from the network for what it allocates, and renews tickets in
// goroutines of its own that nobody can wait for.

// mostHops bounds how far a ticket leads through realms.
const mostHops = 6

// An identity is the client's principal.
type identity struct {
	name  types.PrincipalName
	realm string
}

func (i identity) String() string { return i.name.PrincipalNameString() + "@" + i.realm }

// A ticket is a ticket-granting ticket or a service's, with the session key that goes with it.
type ticket struct {
	messages.Ticket
	key               types.EncryptionKey
	start, end, renew time.Time // renew is when a new one is to be had, see [renewal]
	renewTill         time.Time // zero: the KDC does not renew it
}

func (t *ticket) valid(now time.Time) bool { return t != nil && now.Before(t.end) }

// leadsTo returns the realm whose ticket-granting ticket this is, "" for a service's.
func (t *ticket) leadsTo() string {
	if len(t.SName.NameString) == 2 && t.SName.NameString[0] == "krbtgt" {
		return t.SName.NameString[1]
	}
	return ""
}

// A client has one identity and talks to KDCs.
type client struct {
	*network
	conf *config.Config
	identity
}

// authenticate is the AS exchange: a ticket-granting ticket for what only the client knows.
func (c *client) authenticate(ctx context.Context, secret secret) (*ticket, error) {
	req, err := messages.NewASReqForTGT(c.realm, c.conf, c.name)
	if err != nil {
		return nil, err
	}
	if known := secret.types(c.identity, req.ReqBody.EType); len(known) > 0 {
		req.ReqBody.EType = known
	}
	if life := c.conf.LibDefaults.RenewLifetime; life > 0 {
		req.ReqBody.RTime = time.Now().UTC().Add(life)
	}
	req.PAData = nil
	var hints types.PADataSequence
	reply, err := c.askMessage(ctx, &req)
	if refused, ok := err.(*refusedError); ok && refused.ErrorCode == errorcode.KDC_ERR_PREAUTH_REQUIRED {
		// The answer says with what the key is derived; the time, encrypted with it, is the proof that the KDC wants.
		if err := guarded("the KDC's answer", func() error { return hints.Unmarshal(refused.EData) }); err != nil {
			return nil, err
		}
		proof, err := c.proveTime(secret, req.ReqBody.EType, hints)
		if err != nil {
			return nil, err
		}
		req.PAData = types.PADataSequence{proof}
		reply, err = c.askMessage(ctx, &req)
		if err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	return c.readASReply(&req, reply, secret)
}

func (c *client) askMessage(ctx context.Context, req interface{ Marshal() ([]byte, error) }) ([]byte, error) {
	message, err := req.Marshal()
	if err != nil {
		return nil, err
	}
	return c.ask(ctx, c.conf, c.realm, message)
}

// proveTime makes the PA-ENC-TIMESTAMP of RFC 4120 §5.2.7.2, with the first type of key that the KDC offers and we have.
func (c *client) proveTime(secret secret, ours []int32, hints types.PADataSequence) (types.PAData, error) {
	offered := keyTypes(hints)
	if len(offered) == 0 {
		offered = ours
	}
	var lacking error
	for _, id := range offered {
		if !slices.Contains(ours, id) {
			continue
		}
		key, version, err := secret.key(c.identity, id, 0, hints)
		if err != nil {
			lacking = err
			continue
		}
		now, err := types.GetPAEncTSEncAsnMarshalled()
		if err != nil {
			return types.PAData{}, err
		}
		sealed, err := crypto.GetEncryptedData(now, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP, version)
		if err != nil {
			return types.PAData{}, err
		}
		value, err := sealed.Marshal()
		return types.PAData{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: value}, err
	}
	return types.PAData{}, &keyError{c.identity, offered, lacking}
}

// readASReply opens the answer, which the client's key alone can, and checks that it is to this request.
func (c *client) readASReply(req *messages.ASReq, reply []byte, secret secret) (*ticket, error) {
	var rep messages.ASRep
	if err := guarded("the KDC's answer", func() error { return rep.Unmarshal(reply) }); err != nil {
		return nil, err
	}
	key, _, err := secret.key(c.identity, rep.EncPart.EType, 0, rep.PAData) // versions of keytabs are often wrong; the newest key is tried
	if err != nil {
		return nil, &keyError{c.identity, []int32{rep.EncPart.EType}, err}
	}
	plain, err := open(rep.EncPart, key, keyusage.AS_REP_ENCPART)
	if err != nil {
		return nil, errWrongKey // a KDC that asks for no proof tells a wrong password so
	}
	return c.readReply(&rep.KDCRepFields, plain, req.ReqBody.Nonce, req.ReqBody.SName, false)
}

// readReply is what both exchanges check. What is outside of the part that was encrypted anybody can have written.
func (c *client) readReply(rep *messages.KDCRepFields, plain []byte, nonce int, asked types.PrincipalName, anyName bool) (*ticket, error) {
	var part messages.EncKDCRepPart
	if err := guarded("the KDC's answer", func() error { return part.Unmarshal(plain) }); err != nil {
		return nil, err
	}
	if part.Nonce != nonce || !rep.CName.Equal(c.name) || rep.CRealm != c.realm {
		return nil, fmt.Errorf("the KDC's answer is to another question: it is for %s@%s", sasl.Quoted(rep.CName.PrincipalNameString()), sasl.Quoted(rep.CRealm))
	}
	t := &ticket{Ticket: rep.Ticket, key: part.Key, start: part.StartTime, end: part.EndTime, renewTill: part.RenewTill}
	if t.start.IsZero() {
		t.start = part.AuthTime
	}
	if !part.SName.Equal(t.SName) || !part.SName.Equal(asked) && t.leadsTo() == "" && !anyName {
		return nil, fmt.Errorf("the KDC's answer is to another question: it is a ticket for %s", sasl.Quoted(t.SName.PrincipalNameString()))
	}
	now := time.Now()
	if !t.end.After(now) || t.start.Sub(now) > c.conf.LibDefaults.Clockskew {
		return nil, &skewError{now, t.start, "the KDC's"}
	}
	return t, nil
}

// grant is one TGS exchange: a ticket for a service, or for another realm, in exchange for one of realm's.
func (c *client) grant(ctx context.Context, realm string, tgt *ticket, asked types.PrincipalName, renew, canonicalize bool) (*ticket, error) {
	conf := *c.conf
	conf.LibDefaults.Canonicalize = canonicalize
	req, err := messages.NewTGSReq(c.name, realm, &conf, tgt.Ticket, tgt.key, asked, renew)
	if err != nil {
		return nil, err
	}
	message, err := req.Marshal()
	if err != nil {
		return nil, err
	}
	reply, err := c.ask(ctx, c.conf, realm, message)
	if err != nil {
		return nil, err
	}
	var rep messages.TGSRep
	if err := guarded("the KDC's answer", func() error { return rep.Unmarshal(reply) }); err != nil {
		return nil, err
	}
	plain, err := open(rep.EncPart, tgt.key, keyusage.TGS_REP_ENCPART_SESSION_KEY)
	if err != nil {
		return nil, fmt.Errorf("the answer of the KDC of realm %s cannot be decrypted", realm)
	}
	return c.readReply(&rep.KDCRepFields, plain, req.ReqBody.Nonce, asked, canonicalize)
}

func open(sealed types.EncryptedData, key types.EncryptionKey, usage uint32) (plain []byte, err error) {
	err = guarded("what is encrypted", func() error {
		plain, err = crypto.DecryptEncPart(sealed, key, usage)
		return err
	})
	return plain, err
}

// serviceTicket asks for a service's ticket. The service is in the realm that krb5.conf maps its host to, else where the
// KDC of the client's realm leads (RFC 6806 §8).
func (c *client) serviceTicket(ctx context.Context, tgt *ticket, service, host string) (*ticket, error) {
	name := types.PrincipalName{NameType: nametype.KRB_NT_SRV_HST, NameString: []string{service, host}}
	realm := c.realm
	if mapped := c.conf.ResolveRealm(host); mapped != "" && mapped != realm {
		t, err := c.grant(ctx, realm, tgt, krbtgt(mapped), false, false)
		if err != nil {
			return nil, c.unknown(err, krbtgt(mapped), realm)
		}
		realm, tgt = t.leadsTo(), t
	}
	for canonicalize := false; ; canonicalize = true {
		t, err := c.follow(ctx, realm, tgt, name, canonicalize)
		if refused, ok := errors.AsType[*refusedError](err); ok && refused.ErrorCode == errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN && !canonicalize {
			continue // a KDC leads to another realm, or knows the service by another name, only where that is asked for
		}
		return t, err
	}
}

// follow asks from realm to realm until there is a ticket of the service.
func (c *client) follow(ctx context.Context, realm string, tgt *ticket, name types.PrincipalName, canonicalize bool) (*ticket, error) {
	for range mostHops {
		t, err := c.grant(ctx, realm, tgt, name, false, canonicalize)
		if err != nil {
			return nil, c.unknown(err, name, realm)
		}
		if t.leadsTo() == "" {
			return t, nil
		}
		realm, tgt = t.leadsTo(), t
	}
	return nil, fmt.Errorf("the realms lead %s on to one another, more than %d times", name.PrincipalNameString(), mostHops)
}

// unknown says for which principal a KDC has refused a ticket.
func (c *client) unknown(err error, name types.PrincipalName, realm string) error {
	if refused, ok := err.(*refusedError); ok {
		return &serviceError{refused, name.PrincipalNameString() + "@" + realm}
	}
	return err
}

func krbtgt(realm string) types.PrincipalName {
	return types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{"krbtgt", realm}}
}

// parsePrincipal splits a principal's name from its realm, at the last @.
func parsePrincipal(principal string) (types.PrincipalName, string) {
	name, realm := principal, ""
	if at := strings.LastIndexByte(principal, '@'); at >= 0 {
		name, realm = principal[:at], principal[at+1:]
	}
	return types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, name), realm
}
