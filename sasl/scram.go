package sasl

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"
)

const (
	scramSHA256 = "SCRAM-SHA-256"
	scramSHA512 = "SCRAM-SHA-512"
)

// ScramSHA256 logs in with a user name and a password (SCRAM-SHA-256, RFC 5802 and 7677). Neither the broker nor anybody on the
// way learns the password. The broker proves, too, that it knows the user. As with every client of Kafka, the password is taken
// as it is, without SASLprep. A user name that is not ASCII is refused, since brokers cannot read it.
//
// The broker says how many rounds of hashing to do, within [MinIterations] and [MaxIterations]. The result is kept in memory,
// so that they are done once for each password and salt.
//
// In properties: sasl.mechanism=SCRAM-SHA-256, and username, password and tokenauth of ScramLoginModule in sasl.jaas.config.
func ScramSHA256(user, password string) Mechanism {
	return ScramSHA256From(fixed(Credentials{User: user, Password: Secret(password)}))
}

// ScramSHA512 is [ScramSHA256] with the other hash function. A user of one is not a user of the other, unless the cluster has
// credentials for both.
func ScramSHA512(user, password string) Mechanism {
	return ScramSHA512From(fixed(Credentials{User: user, Password: Secret(password)}))
}

// ScramSHA256From is [ScramSHA256] with credentials that may change: source is asked at each authentication. See
// [CredentialsFile], [PasswordFile] and [DelegationToken].
func ScramSHA256From(source CredentialFunc) Mechanism {
	return newScram(scramSHA256, sha256.New, source)
}

// ScramSHA512From is [ScramSHA512] with credentials that may change, as with [ScramSHA256From].
func ScramSHA512From(source CredentialFunc) Mechanism {
	return newScram(scramSHA512, sha512.New, source)
}

func newScram(name string, hash func() hash.Hash, source CredentialFunc) *scram {
	cache := &scramCache{hash: hash}
	return &scram{name, source, rand.Text, func() *scramCache { return cache }}
}

type scram struct {
	name   string
	source CredentialFunc
	nonce  func() string
	cache  func() *scramCache // a function, so that package fmt cannot print what it holds
}

func (m *scram) Name() string { return m.name }

func (m *scram) Begin(ctx context.Context, _ Target) (Exchange, error) {
	c, err := m.source.ask(ctx, m.name)
	if err != nil {
		return nil, err
	}
	return &scramExchange{mechanism: m, user: c.User, token: c.DelegationToken, password: seal(string(c.Password)), nonce: m.nonce()}, nil
}

type scramExchange struct {
	mechanism *scram
	user      string
	token     bool
	password  sealed
	nonce     string

	step      int
	first     string // the first message, from n= on
	signature []byte // what the broker has to show
}

func (e *scramExchange) Next(_ context.Context, challenge []byte) (response []byte, done bool, err error) {
	e.step++
	switch e.step {
	case 1:
		e.first = "n=" + scramName.Replace(e.user) + ",r=" + e.nonce
		if e.token {
			e.first += ",tokenauth=true"
		}
		return []byte(gs2Header + e.first), false, nil
	case 2:
		response, err = e.prove(string(challenge))
	case 3:
		err = e.verify(string(challenge))
		done = err == nil
	default:
		err = errors.New("the exchange has ended already")
	}
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		refused.Mechanism, refused.Hint = e.mechanism.name, e.Explain(refused.Words)
		return nil, false, refused
	}
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", e.mechanism.name, err)
	}
	return response, done, nil
}

const gs2Header = "n,," // no channel binding, no other authorization id; Kafka takes nothing else

var scramName = strings.NewReplacer("=", "=3D", ",", "=2C")

// prove answers the broker's first message with the client's proof.
func (e *scramExchange) prove(serverFirst string) ([]byte, error) {
	asked, err := parseServerFirst(serverFirst)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(asked.nonce, e.nonce) {
		return nil, errors.New("the broker's nonce does not begin with ours: what has answered is out of step, or forged")
	}
	cache := e.mechanism.cache()
	keys, err := cache.keys(e.password, asked.salt, asked.iterations)
	if err != nil {
		return nil, err
	}
	hash := cache.hash
	final := "c=" + base64.StdEncoding.EncodeToString([]byte(gs2Header)) + ",r=" + asked.nonce
	message := e.first + "," + serverFirst + "," + final
	stored := hash()
	stored.Write(keys.client)
	proof := mac(hash, stored.Sum(nil), message)
	for i := range proof {
		proof[i] ^= keys.client[i]
	}
	e.signature = mac(hash, keys.server, message)
	return []byte(final + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// verify refuses a broker that does not prove that it knows the user's credentials.
func (e *scramExchange) verify(serverFinal string) error {
	signature, err := parseServerFinal(serverFinal)
	if err != nil {
		return err
	}
	if !hmac.Equal(signature, e.signature) {
		return Final(errors.New("the broker lets the client in, but does not prove that it knows the user's credentials: something else may pose as the broker"))
	}
	return nil
}

func mac(hash func() hash.Hash, key []byte, message string) []byte {
	h := hmac.New(hash, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

// Explain gives the same hint wherever the exchange has ended. Kafka does not say what is wrong. The step at which it refuses
// would reveal whether the user exists.
func (e *scramExchange) Explain(words string) string {
	if hint := explainUser(e.user, words); hint != "" {
		return hint
	}
	if e.token {
		return fmt.Sprintf("the delegation token %s may have expired, its HMAC may be wrong, or the brokers may not agree on delegation.token.secret.key", Quoted(e.user))
	}
	return fmt.Sprintf("the password of %s may be wrong, or the user may have no credential for %s: each mechanism has its own, "+
		"as an administrator sees by kafka-configs.sh --bootstrap-server HOST:PORT --describe --entity-type users --entity-name %s", Quoted(e.user), e.mechanism.name, nameForShell(e.user))
}

// nameForShell returns a name that a shell takes as it is. For all others it returns a word that stands for the name.
func nameForShell(name string) string {
	if len(name) > 255 {
		return "NAME"
	}
	for _, r := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@", r) {
			return "NAME"
		}
	}
	return name
}
