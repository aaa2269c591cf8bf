package brokertest

import (
	"bytes"
	"fmt"
	"time"
)

// plainServer is the broker's side of PLAIN (RFC 4616).
type plainServer struct {
	c    *Cluster
	user string
}

func (p *plainServer) next(token []byte) ([]byte, bool, error) {
	parts := bytes.SplitN(token, []byte{0}, 4)
	if len(parts) != 3 {
		return nil, false, &saslRefusal{fmt.Sprintf("Invalid SASL/PLAIN response: expected 3 tokens, got %d", len(parts))}
	}
	authzid, user, password := string(parts[0]), string(parts[1]), string(parts[2])
	known, ok := p.c.credentialOf(plain, user)
	words := ""
	switch {
	case user == "":
		words = "username not specified"
	case password == "":
		words = "password not specified"
	case !ok || known.password != password:
		words = "Invalid username or password"
	case authzid != "" && authzid != user:
		words = "Client requested an authorization id that is different from username"
	}
	if words != "" {
		return nil, false, &saslRefusal{"Authentication failed: " + words}
	}
	p.user = user
	return nil, true, nil
}

func (p *plainServer) who() (string, time.Time) { return p.user, time.Time{} }
