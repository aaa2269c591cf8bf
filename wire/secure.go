package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
)

// secure is what an attempt knows of its TLS handshake, to explain a failure.
type secure struct {
	trusted string // who is trusted, in words; "" if unknown
	system  bool   // the system's authorities are trusted
	heard   bool   // a byte has come from the other end

	asked      bool     // the broker has asked for a client certificate
	acceptable [][]byte // the authorities that it accepts, as DER; empty: it named none
	sent       *x509.Certificate
	configured []*x509.Certificate // the certificates to choose from, if they are known
	chooses    bool                // a function of the user's chooses, from certificates that are not known
}

// prepare makes the TLS configuration of one connection, and lets s record what the handshake asks of it.
func (s *secure) prepare(ctx context.Context, cfg *Config, addr string) *tls.Config {
	own := cfg.TLS.Clone()
	if own.ServerName == "" {
		own.ServerName = addr
		if host, _, err := net.SplitHostPort(addr); err == nil {
			own.ServerName = host
		}
	}
	if cfg.Certificates != nil {
		s.trusted = cfg.Certificates(ctx, own)
	}
	s.system = own.RootCAs == nil
	choose := own.GetClientCertificate
	s.chooses = choose != nil
	if choose == nil {
		pairs := own.Certificates
		for i := range pairs {
			if leaf := leafOf(&pairs[i]); leaf != nil {
				s.configured = append(s.configured, leaf)
			}
		}
		choose = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return firstSupported(pairs, info), nil
		}
	}
	own.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		s.asked, s.acceptable = true, info.AcceptableCAs
		pair, err := choose(info)
		if err == nil && pair != nil {
			s.sent = leafOf(pair)
		}
		return pair, err
	}
	return own
}

// firstSupported chooses as package tls does by default: none, if the server accepts none.
func firstSupported(pairs []tls.Certificate, info *tls.CertificateRequestInfo) *tls.Certificate {
	for i := range pairs {
		if info.SupportsCertificate(&pairs[i]) == nil {
			return &pairs[i]
		}
	}
	return new(tls.Certificate)
}

// leafOf returns the certificate of a pair, nil if there is none that can be read.
func leafOf(pair *tls.Certificate) *x509.Certificate {
	if pair.Leaf != nil {
		return pair.Leaf
	}
	if len(pair.Certificate) == 0 {
		return nil
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil
	}
	return leaf
}
