package gssapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"

	"github.com/epistle-kafka/epistle/sasl"
)

// errWrongKey is the answer of a KDC that our key does not open.
var errWrongKey = errors.New("the KDC's answer cannot be decrypted")

// A keyError says that there is no key of a type that the KDC takes.
type keyError struct {
	who     identity
	offered []int32
	cause   error // nil: none of the types is allowed here
}

func (e *keyError) Error() string {
	return fmt.Sprintf("there is no key of %s that the KDC takes: it takes %s (the keytab lacks them, or krb5.conf forbids them: default_tkt_enctypes)",
		e.who, typeNames(e.offered))
}

func (e *keyError) Unwrap() error { return e.cause }

// A skewError says that this machine's clock and another's are too far apart.
type skewError struct {
	ours, theirs time.Time
	whose        string // "the KDC's"
}

func (e *skewError) Error() string {
	if e.theirs.IsZero() {
		return "the clock of this machine and " + e.whose + " are too far apart: set them"
	}
	apart, which := e.ours.Sub(e.theirs), "ahead of"
	if apart < 0 {
		apart, which = -apart, "behind"
	}
	return fmt.Sprintf("the clock of this machine is %v %s %s: set it", apart.Round(time.Second), which, e.whose)
}

// A serviceError is a KDC's refusal of a service's ticket.
type serviceError struct {
	*refusedError
	principal string
}

func (e *serviceError) Error() string {
	return "ticket for " + e.principal + ": " + e.refusedError.Error()
}
func (e *serviceError) Unwrap() error { return e.refusedError }

// final lists the refusals that no repetition mends. All others may be mended by time.
var final = []int32{
	errorcode.KDC_ERR_NAME_EXP, errorcode.KDC_ERR_SERVICE_EXP, errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN,
	errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, errorcode.KDC_ERR_PRINCIPAL_NOT_UNIQUE, errorcode.KDC_ERR_NULL_KEY,
	errorcode.KDC_ERR_NEVER_VALID, errorcode.KDC_ERR_POLICY, errorcode.KDC_ERR_BADOPTION, errorcode.KDC_ERR_ETYPE_NOSUPP,
	errorcode.KDC_ERR_CLIENT_REVOKED, errorcode.KDC_ERR_SERVICE_REVOKED, errorcode.KDC_ERR_KEY_EXPIRED,
	errorcode.KDC_ERR_PREAUTH_FAILED, errorcode.KDC_ERR_PREAUTH_REQUIRED, errorcode.KDC_ERR_WRONG_REALM,
}

// explain adds to what went wrong what to do about it, and marks what no repetition mends. known says that there was a
// login before: a clock that goes wrong afterwards, as after a pause of the machine, is set right by its daemon.
func (l *login) explain(err error, known bool) error {
	if errors.Is(err, errWrongKey) {
		return sasl.Final(fmt.Errorf("%w (%s)", err, l.wrongSecret()))
	}
	if _, ok := errors.AsType[*keyError](err); ok {
		return sasl.Final(err)
	}
	if refused, ok := errors.AsType[*refusedError](err); ok && refused.ErrorCode == errorcode.KRB_AP_ERR_SKEW {
		err = fmt.Errorf("%w (%w)", err, &skewError{refused.at, refused.STime, "the KDC's"})
	} else if ok {
		if hint := l.hint(refused.ErrorCode); hint != "" {
			err = fmt.Errorf("%w (%s)", err, hint)
		}
		if slices.Contains(final, refused.ErrorCode) {
			return sasl.Final(err)
		}
		return err
	}
	if _, ok := errors.AsType[*skewError](err); ok && !known {
		return sasl.Final(err)
	}
	return err
}

// locks says that a login was refused for what may lock the account if it is tried too often.
func locks(err error) bool {
	refused, ok := errors.AsType[*refusedError](err)
	return ok && (refused.ErrorCode == errorcode.KDC_ERR_PREAUTH_FAILED || refused.ErrorCode == errorcode.KDC_ERR_CLIENT_REVOKED)
}

// spent says that a KDC takes the ticket-granting ticket no more.
func spent(err error) bool {
	refused, ok := errors.AsType[*refusedError](err)
	return ok && slices.Contains([]int32{errorcode.KRB_AP_ERR_TKT_EXPIRED, errorcode.KRB_AP_ERR_TKT_NYV, errorcode.KRB_AP_ERR_BAD_INTEGRITY,
		errorcode.KDC_ERR_TGT_REVOKED, errorcode.KRB_AP_ERR_BADKEYVER, errorcode.KRB_AP_ERR_NOKEY}, refused.ErrorCode)
}

func (l *login) hint(code int32) string {
	switch code {
	case errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN:
		return fmt.Sprintf("there is no principal %s; check Principal and Realm", l.who)
	case errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN:
		return "check ServiceName (sasl.kerberos.service.name), and whether brokers advertise the host names of their principals; Canonicalize can look names up as Java does"
	case errorcode.KDC_ERR_PREAUTH_FAILED:
		return l.wrongSecret()
	case errorcode.KDC_ERR_CLIENT_REVOKED:
		return fmt.Sprintf("%s is locked or disabled", l.who)
	case errorcode.KDC_ERR_KEY_EXPIRED:
		return fmt.Sprintf("the password of %s has expired", l.who)
	case errorcode.KDC_ERR_ETYPE_NOSUPP:
		return "KDC and client have no encryption type in common: give the principals AES keys, and see krb5.conf, default_tkt_enctypes and default_tgs_enctypes"
	case errorcode.KDC_ERR_WRONG_REALM:
		return fmt.Sprintf("%s belongs to another realm; check Realm", l.who)
	case errorcode.KDC_ERR_PREAUTH_REQUIRED:
		return "it wants another proof than a key, such as a smart card or a one-time password"
	case errorcode.KRB_AP_ERR_TKT_EXPIRED:
		return "a new one is fetched"
	}
	return ""
}

func (l *login) wrongSecret() string {
	if l.cfg.Keytab != "" {
		return fmt.Sprintf("the key in %s is not that of %s any more: its password was changed, or the keytab is for another realm", l.cfg.Keytab, l.who)
	}
	return fmt.Sprintf("the password of %s is wrong", l.who)
}

// typeNames lists encryption types by the names of krb5.conf.
func typeNames(ids []int32) string {
	var names []string
	for _, id := range ids {
		name := fmt.Sprintf("type %d", id)
		for _, candidate := range []string{"aes256-cts", "aes128-cts", "aes256-sha2", "aes128-sha2", "rc4-hmac", "des3-cbc-sha1", "camellia256-cts", "camellia128-cts"} {
			if etypeID.ETypesByName[candidate] == id {
				name = candidate
			}
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}
