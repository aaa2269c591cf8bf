package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"slices"

	"github.com/epistle-kafka/epistle/integration/identity"
)

// A handshake is what a broker shows of itself in one of TLS.
type handshake struct {
	issuer   string   // the name of the authority that has issued the broker's certificate
	accepted [][]byte // the names, in DER, of the authorities whose clients it lets in
}

// shakeHands begins a connection to find that out.
func shakeHands(ctx context.Context, addr string) (h handshake, err error) {
	config := &tls.Config{
		InsecureSkipVerify: true, // it is looked at, and nothing is told to it
		GetClientCertificate: func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			h.accepted = asked.AcceptableCAs
			return &tls.Certificate{}, nil
		},
	}
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return h, err
	}
	defer conn.Close()
	h.issuer = conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Issuer.CommonName
	return h, nil
}

// accepts reports whether it lets in the clients of these authorities, and no others.
func (h handshake) accepts(authorities []*identity.Authority) bool {
	for _, a := range authorities {
		if !slices.ContainsFunc(h.accepted, func(name []byte) bool { return bytes.Equal(name, a.Certificate.RawSubject) }) {
			return false
		}
	}
	return len(h.accepted) == len(authorities)
}
