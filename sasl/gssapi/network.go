package gssapi

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"

	"github.com/epistle-kafka/epistle/sasl"
)

const (
	// kdcPatience bounds one question to one KDC, connecting included.
	kdcPatience = 5 * time.Second

	// mostReply bounds a KDC's answer, in bytes. Tickets of Active Directory with very many groups have some 64 KiB.
	mostReply = 1 << 20

	// mostFailuresShown bounds an error's text where a realm has many KDCs.
	mostFailuresShown = 4
)

// resolver is the part of [net.Resolver] that is used.
type resolver interface {
	LookupCNAME(ctx context.Context, host string) (string, error)
	LookupHost(ctx context.Context, host string) ([]string, error)
	LookupAddr(ctx context.Context, address string) ([]string, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// A network leads to the KDCs. Whoever has the turn of [login] uses it.
type network struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	resolve resolver
	last    way // the one that has answered last: it is asked first
}

// tellingKey is of the function in a context that is told of a KDC that does not answer, while others are asked.
type tellingKey struct{}

func telling(ctx context.Context, tell func(error)) context.Context {
	if tell == nil {
		return ctx
	}
	return context.WithValue(ctx, tellingKey{}, tell)
}

func tell(ctx context.Context, err error) {
	if f, ok := ctx.Value(tellingKey{}).(func(error)); ok {
		f(err)
	}
}

// A way is an address of a KDC and a protocol.
type way struct{ protocol, kdc string }

// An unreachableError says that no KDC has answered. Time may mend it.
type unreachableError struct {
	realm  string
	tried  []error
	left   int   // how many more were tried
	failed error // to find any; nil if they are known
}

func (e *unreachableError) Error() string {
	if e.failed != nil {
		return fmt.Sprintf("no KDC of realm %s is known: %v (krb5.conf, [realms], kdc; or DNS)", e.realm, e.failed)
	}
	words := make([]string, len(e.tried))
	for i, err := range e.tried {
		words[i] = err.Error()
	}
	if e.left > 0 {
		words = append(words, fmt.Sprintf("and %d more", e.left))
	}
	return fmt.Sprintf("no KDC of realm %s answers: %s (are these its addresses, of krb5.conf or DNS, and does a firewall let port 88 through?)", e.realm, strings.Join(words, "; "))
}

func (e *unreachableError) Unwrap() []error {
	if e.failed != nil {
		return []error{e.failed}
	}
	return e.tried
}

// A refusedError is a KRB-ERROR, of a KDC or of a broker.
type refusedError struct {
	messages.KRBError
	by string    // who sent it
	at time.Time // when it came, by the clock here
}

func (e *refusedError) Error() string {
	words := e.by + " refuses: " + errorcode.Lookup(e.ErrorCode)
	if e.EText != "" {
		words += ": " + sasl.Quoted(e.EText)
	}
	return words
}

// ask sends a message to the KDCs of a realm, one after the other, until one answers. Over TCP first, whose failures are told
// at once and whose answers are never too large; then over UDP, unless krb5.conf has udp_preference_limit = 1.
func (n *network) ask(ctx context.Context, conf *config.Config, realm string, message []byte) ([]byte, error) {
	kdcs, err := n.kdcs(ctx, conf, realm)
	if err != nil {
		return nil, &unreachableError{realm: realm, failed: err}
	}
	failed := &unreachableError{realm: realm}
	for _, w := range n.ways(kdcs, conf.LibDefaults.UDPPreferenceLimit == 1) {
		reply, err := n.askOne(ctx, w, message)
		if err == nil || definite(err) {
			n.last = w
			tell(ctx, nil)
			return reply, err
		}
		if len(failed.tried) < mostFailuresShown {
			failed.tried = append(failed.tried, fmt.Errorf("%s over %s: %w", w.kdc, w.protocol, err))
		} else {
			failed.left++
		}
		if ctx.Err() != nil {
			break
		}
		tell(ctx, &unreachableError{realm: realm, tried: slices.Clone(failed.tried), left: failed.left})
	}
	return nil, failed
}

// definite says that another KDC, or another protocol, would answer the same.
func definite(err error) bool {
	refused, ok := err.(*refusedError)
	return ok && refused.ErrorCode != errorcode.KDC_ERR_SVC_UNAVAILABLE && refused.ErrorCode != errorcode.KRB_ERR_RESPONSE_TOO_BIG
}

// ways lists how the KDCs can be reached, in the order in which that is tried.
func (n *network) ways(kdcs []string, tcpOnly bool) []way {
	var ways []way
	for _, kdc := range kdcs {
		ways = append(ways, way{"tcp", kdc})
		if !tcpOnly {
			ways = append(ways, way{"udp", kdc})
		}
	}
	if at := slices.Index(ways, n.last); at > 0 {
		ways = slices.Insert(slices.Delete(ways, at, at+1), 0, n.last)
	}
	return ways
}

// kdcs lists the addresses of a realm's KDCs: those of krb5.conf, else those of DNS.
func (n *network) kdcs(ctx context.Context, conf *config.Config, realm string) ([]string, error) {
	var kdcs []string
	for _, r := range conf.Realms {
		if r.Realm == realm {
			kdcs = append(kdcs, r.KDC...)
		}
	}
	if len(kdcs) == 0 {
		if !conf.LibDefaults.DNSLookupKDC {
			return nil, errors.New("krb5.conf names none, and forbids to ask DNS (dns_lookup_kdc)")
		}
		_, records, err := n.resolve.LookupSRV(ctx, "kerberos", "tcp", realm)
		if err != nil {
			return nil, fmt.Errorf("krb5.conf names none, and DNS has no _kerberos._tcp.%s: %w", realm, err)
		}
		for _, record := range records {
			kdcs = append(kdcs, net.JoinHostPort(strings.TrimSuffix(record.Target, "."), strconv.Itoa(int(record.Port))))
		}
	}
	return kdcs, nil
}

func (n *network) askOne(ctx context.Context, w way, message []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, kdcPatience)
	defer cancel()
	conn, err := n.dial(ctx, w.protocol, w.kdc)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	exchange := askTCP
	if w.protocol == "udp" {
		exchange = askUDP
	}
	reply, err := exchange(conn, message)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, fmt.Errorf("no answer: %w", cause)
		}
		return nil, err
	}
	refused := &refusedError{by: "KDC " + w.kdc, at: time.Now()}
	if err := guarded("the answer", func() error { return refused.Unmarshal(reply) }); err == nil {
		return nil, refused
	}
	return reply, nil
}

// askTCP frames both ways by a length of four bytes (RFC 4120 §7.2.2).
func askTCP(conn net.Conn, message []byte) ([]byte, error) {
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...)); err != nil {
		return nil, err
	}
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	size := binary.BigEndian.Uint32(head[:])
	if size == 0 || size > mostReply {
		return nil, fmt.Errorf("an answer of %d bytes: this is no KDC", size)
	}
	reply := make([]byte, size)
	if _, err := io.ReadFull(conn, reply); err != nil {
		return nil, fmt.Errorf("half an answer: %w", err)
	}
	return reply, nil
}

func askUDP(conn net.Conn, message []byte) ([]byte, error) {
	if _, err := conn.Write(message); err != nil {
		return nil, err
	}
	reply := make([]byte, 1<<16)
	size, err := conn.Read(reply)
	if err != nil {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	return reply[:size], nil
}
