package brokertest

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"strings"
	"time"
)

// iterations is how often Kafka's tools hash a password by default.
const iterations = 4096

// scramKeys is what a broker keeps of a password (RFC 5802).
type scramKeys struct {
	salt              []byte
	stored, serverKey []byte
}

func scramHash(mechanism string) func() hash.Hash {
	if mechanism == scram512 {
		return sha512.New
	}
	return sha256.New
}

func keyed(h func() hash.Hash, key []byte, text string) []byte {
	mac := hmac.New(h, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// newScramKeys hashes a password as it is: Kafka does not prepare strings (SASLprep).
func newScramKeys(mechanism, password string, salt []byte) *scramKeys {
	h := scramHash(mechanism)
	salted, err := pbkdf2.Key(h, password, salt, iterations, h().Size())
	if err != nil {
		panic("brokertest: " + err.Error())
	}
	stored := h()
	stored.Write(keyed(h, salted, "Client Key"))
	return &scramKeys{salt: salt, stored: stored.Sum(nil), serverKey: keyed(h, salted, "Server Key")}
}

// These match what a broker's parser takes. There is no channel binding, so the header is "n,", and names have no character
// above 0x7F.
var (
	clientFirst = regexp.MustCompile(`^n,(?:a=(?P<authzid>(?:[\x01-\x2B\x2D-\x3C\x3E-\x7F]|=2C|=3D)+))?,n=(?P<user>(?:[\x01-\x2B\x2D-\x3C\x3E-\x7F]|=2C|=3D)+),r=(?P<nonce>[\x21-\x2B\x2D-\x7E]+)(?P<extensions>(?:,[A-Za-z]+=[\x01-\x2B\x2D-\x7F]+)*)$`)
	clientFinal = regexp.MustCompile(`^c=biws,r=([\x21-\x2B\x2D-\x7E]+)(?:,[A-Za-z]+=[\x01-\x2B\x2D-\x7F]+)*,p=([A-Za-z0-9+/]+={0,2})$`)
	unescape    = strings.NewReplacer("=2C", ",", "=3D", "=")
)

// scramServer is the broker's side of SCRAM (RFC 5802, KIP-84).
type scramServer struct {
	c         *Cluster
	mechanism string
	again     bool

	known       credential
	user        string
	nonce       string
	bare, first string // client-first-message-bare, server-first-message
}

func (s *scramServer) next(token []byte) ([]byte, bool, error) {
	if s.first == "" {
		answer, err := s.begin(string(token))
		return answer, false, err
	}
	answer, err := s.end(string(token))
	return answer, err == nil, err
}

func (s *scramServer) begin(message string) ([]byte, error) {
	parts := clientFirst.FindStringSubmatch(message)
	refused := invalidCredentials(s.mechanism, s.again)
	if parts == nil {
		return nil, refused
	}
	authzid, user, nonce, extensions := unescape.Replace(parts[1]), unescape.Replace(parts[2]), parts[3], parts[4]
	known, ok := s.c.credentialOf(s.mechanism, user)
	asToken := strings.Contains(extensions+",", ",tokenauth=true,")
	if !ok || known.token != asToken || authzid != "" && authzid != user || !known.expires.IsZero() && !time.Now().Before(known.expires) {
		return nil, refused // an unknown user is told now, a wrong password later
	}
	s.known, s.user = known, user
	if asToken {
		s.user = known.owner
	}
	s.nonce = nonce + rand.Text()
	_, s.bare, _ = strings.Cut(message, ",")
	_, s.bare, _ = strings.Cut(s.bare, ",")
	s.first = fmt.Sprintf("r=%s,s=%s,i=%d", s.nonce, base64.StdEncoding.EncodeToString(known.keys.salt), iterations)
	return []byte(s.first), nil
}

func (s *scramServer) end(message string) ([]byte, error) {
	parts := clientFinal.FindStringSubmatch(message)
	if parts == nil || parts[1] != s.nonce {
		return nil, invalidCredentials(s.mechanism, s.again)
	}
	proof, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || !s.proves(proof, message) {
		return nil, invalidCredentials(s.mechanism, s.again)
	}
	signature := keyed(scramHash(s.mechanism), s.known.keys.serverKey, s.authMessage(message))
	return []byte("v=" + base64.StdEncoding.EncodeToString(signature)), nil
}

func (s *scramServer) authMessage(final string) string {
	without, _, _ := strings.Cut(final, ",p=")
	return s.bare + "," + s.first + "," + without
}

func (s *scramServer) proves(proof []byte, final string) bool {
	h := scramHash(s.mechanism)
	signature := keyed(h, s.known.keys.stored, s.authMessage(final))
	if len(proof) != len(signature) {
		return false
	}
	for i := range proof {
		proof[i] ^= signature[i]
	}
	stored := h()
	stored.Write(proof)
	return hmac.Equal(stored.Sum(nil), s.known.keys.stored)
}

func (s *scramServer) who() (string, time.Time) { return s.user, s.known.expires }

var errMalformed = errors.New("a first message that cannot be read")
