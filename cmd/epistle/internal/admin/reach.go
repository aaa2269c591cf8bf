package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/epistle-kafka/epistle/wire"
)

// Reach connects to the first bootstrap server that can be reached, and hangs up. The error is that of every server, joined.
//
// final says that each server has shown that it is not what the settings say, so that a later attempt would fail as well. A
// server that refuses, resets or closes the connection, or says nothing, has shown nothing: a broker that is starting does the
// same. If a server hangs up, it is tried the other way, with TLS or without. An answer to that is evidence. Reach does not log
// in: whether a server can be reached shows before that.
func (c *Client) Reach(ctx context.Context) (final bool, err error) {
	anybody := *c
	anybody.wire.SASL = nil
	return anybody.reach(ctx)
}

func (c *Client) reach(ctx context.Context) (final bool, err error) {
	var failed []error
	final = true
	for _, addr := range c.bootstrap {
		conn, err := c.dial(ctx, addr, -1)
		if err == nil {
			conn.Close(errDone)
			return false, nil
		}
		if other := c.otherWay(ctx, addr, err); other != nil {
			err = other
		} else if !wire.Misconfigured(err) {
			final = false
		}
		failed = append(failed, err)
	}
	return final, errors.Join(failed...)
}

// otherWay returns what a server that has hung up shows when it is tried the other way: one that hung up on TLS may speak Kafka
// without it, and one that hung up without TLS may speak TLS. It is nil if the server shows nothing.
func (c *Client) otherWay(ctx context.Context, addr string, failed error) error {
	e, ok := errors.AsType[*wire.Error](failed)
	if !ok || !e.HungUp() {
		return nil
	}
	switch {
	case e.Stage == wire.StageTLS && c.speaksKafka(ctx, addr):
		return fmt.Errorf("%w; it answers without TLS: use -X security.protocol=PLAINTEXT", failed)
	case e.Stage == wire.StageApiVersions && c.wire.TLS == nil && c.speaksTLS(ctx, addr):
		return fmt.Errorf("%w; it answers to TLS: use -X security.protocol=SSL", failed)
	}
	return nil
}

// speaksKafka reports whether a server answers without TLS.
func (c *Client) speaksKafka(ctx context.Context, addr string) bool {
	plain := *c
	plain.wire.TLS, plain.wire.SASL, plain.wire.ClientID = nil, nil, "" // nothing of the user's goes out without encryption
	conn, err := plain.dial(ctx, addr, -1)
	if err != nil {
		return false
	}
	conn.Close(errDone)
	return true
}

// speaksTLS reports whether a server answers to a TLS handshake, even if it refuses.
func (c *Client) speaksTLS(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, c.dialing)
	defer cancel()
	dial := c.wire.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	// Whose certificate it is does not matter here: nothing is sent.
	err = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx)
	op, ok := errors.AsType[*net.OpError](err)
	return err == nil || ok && op.Op == "remote error" // an alert, of which package tls keeps the type to itself
}
