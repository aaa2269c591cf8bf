package gssapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/sasl"
)

// A Config says who the client is, to which service it wants to, and how it finds the KDC.
//
// It needs a ServiceName, and one of Keytab, Password and CredentialCache. A credential cache may come with a keytab or a
// password: then these are used when the cache has no valid ticket.
type Config struct {
	// ServiceName is the first part of the brokers' principals, "kafka" as a rule. Java: sasl.kerberos.service.name, or
	// serviceName in the login module. There is no default.
	ServiceName string

	// Principal is the client's, such as "alice", "alice@EXAMPLE.TEST" or "orders/host1.example.test". Without one, that of
	// the credential cache is taken.
	Principal string

	// Realm is the client's, if Principal does not name it. Default: default_realm in krb5.conf.
	Realm string

	Keytab   string      // the path of a file with the client's keys; it is read anew for each login
	Password sasl.Secret // what the keys are derived from

	// CredentialCache is the path of a file that kinit or another program keeps tickets in; "FILE:" may stand before
	// it. It is read again when it has changed. Caches of other types (KEYRING, KCM, DIR, API) are not read.
	CredentialCache string

	// RenewTickets has tickets of a credential cache renewed when it is time, as far as the KDC allows. The new ones are
	// kept in memory: the file is never written. Java: renewTGT.
	RenewTickets bool

	// Krb5Conf is the path of the configuration of Kerberos. Default: the files that the environment's KRB5_CONFIG
	// lists, else /etc/krb5.conf. It is read again for a login, if it has changed.
	Krb5Conf string

	// Canonicalize says how the host in a broker's principal follows from the address that it is dialled by.
	Canonicalize Canonicalize

	// RenewWindowFactor is the part of a ticket's life after which a new one is fetched, 0 < f ≤ 1. Default: 0.8. Java:
	// sasl.kerberos.ticket.renew.window.factor.
	RenewWindowFactor float64

	// RenewJitter is the most that is added to RenewWindowFactor, by chance, so that many clients do not come at once;
	// 0 ≤ j ≤ 0.25. Default: 0.05, and a negative number is none. Java: sasl.kerberos.ticket.renew.jitter.
	RenewJitter float64

	// MinTimeBeforeRelogin is the least time between two fetches of a new ticket while the old one is good, and between two
	// logins that the KDC has refused for good, so that no account is locked. Default: one minute. Java:
	// sasl.kerberos.min.time.before.relogin.
	MinTimeBeforeRelogin time.Duration

	// DialContext connects to KDCs, network being "tcp" or "udp". Default: that of a [net.Dialer].
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Canonicalize is a way to get the host of a principal from a broker's address.
type Canonicalize int

const (
	// CanonicalizeIP takes host names as they are, and looks up IP addresses in reverse: no principal has one. It is the
	// default.
	CanonicalizeIP Canonicalize = iota
	// CanonicalizeNever takes everything as it is.
	CanonicalizeNever
	// CanonicalizeForward follows aliases (CNAME), as MIT's library does with rdns = false.
	CanonicalizeForward
	// CanonicalizeReverse looks up the address of a name, and the name of that address, as Java does, and MIT's library
	// unless rdns is false. Whoever can forge reverse look-ups chooses which service is talked to.
	CanonicalizeReverse
)

var canonicalizeNames = []string{"ip", "never", "forward", "reverse"}

// String returns "ip", "never", "forward" or "reverse".
func (c Canonicalize) String() string {
	if c < 0 || int(c) >= len(canonicalizeNames) {
		return "Canonicalize(" + strconv.Itoa(int(c)) + ")"
	}
	return canonicalizeNames[c]
}

const (
	defaultWindowFactor = 0.8
	defaultJitter       = 0.05
	mostJitter          = 0.25
	defaultMinRelogin   = time.Minute
)

// New makes the mechanism. It reads krb5.conf and, if there is one, the keytab, so that what is wrong with them is told at
// once; a credential cache may come later. It talks to nobody. Errors name the field.
func New(cfg Config) (*Mechanism, error) {
	cfg.CredentialCache = strings.TrimPrefix(cfg.CredentialCache, "FILE:")
	if cfg.RenewWindowFactor == 0 {
		cfg.RenewWindowFactor = defaultWindowFactor
	}
	if cfg.RenewJitter == 0 {
		cfg.RenewJitter = defaultJitter
	}
	cfg.RenewJitter = max(cfg.RenewJitter, 0)
	if cfg.MinTimeBeforeRelogin == 0 {
		cfg.MinTimeBeforeRelogin = defaultMinRelogin
	}
	if cfg.DialContext == nil {
		cfg.DialContext = new(net.Dialer).DialContext
	}
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("gssapi: %w", err)
	}
	l, err := newLogin(cfg)
	if err != nil {
		return nil, fmt.Errorf("gssapi: %w", err)
	}
	return &Mechanism{l}, nil
}

func (cfg *Config) check() error {
	switch {
	case cfg.ServiceName == "":
		return errors.New("ServiceName is not set: it is the first part of the brokers' principals, such as kafka (sasl.kerberos.service.name)")
	case strings.ContainsAny(cfg.ServiceName, "/@"):
		return fmt.Errorf("ServiceName is %s: it is the first part of a principal alone, without host and realm", sasl.Quoted(cfg.ServiceName))
	case cfg.Keytab != "" && cfg.Password != "":
		return errors.New("Keytab and Password are set: one of them is enough")
	case cfg.Keytab == "" && cfg.Password == "" && cfg.CredentialCache == "":
		return errors.New("none of Keytab, Password and CredentialCache is set")
	case cfg.Principal == "" && cfg.CredentialCache == "":
		return errors.New("Principal is not set")
	case cfg.Principal == "" && (cfg.Keytab != "" || cfg.Password != ""):
		return errors.New("Principal is not set: a keytab or a password needs it")
	case cfg.Canonicalize < 0 || int(cfg.Canonicalize) >= len(canonicalizeNames):
		return fmt.Errorf("Canonicalize is %v: there is no such way", cfg.Canonicalize)
	case !(cfg.RenewWindowFactor > 0 && cfg.RenewWindowFactor <= 1):
		return fmt.Errorf("RenewWindowFactor is %v: it is more than 0 and not more than 1", cfg.RenewWindowFactor)
	case !(cfg.RenewJitter <= mostJitter):
		return fmt.Errorf("RenewJitter is %v: it is not more than %v", cfg.RenewJitter, mostJitter)
	case cfg.MinTimeBeforeRelogin < 0:
		return fmt.Errorf("MinTimeBeforeRelogin is %v: it is not negative", cfg.MinTimeBeforeRelogin)
	}
	if _, realm := parsePrincipal(cfg.Principal); realm != "" && cfg.Realm != "" && realm != cfg.Realm {
		return fmt.Errorf("Principal is of realm %s, and Realm is %s", sasl.Quoted(realm), sasl.Quoted(cfg.Realm))
	}
	for _, kind := range []string{"KEYRING:", "KCM:", "DIR:", "API:", "MEMORY:", "MSLSA:"} {
		if strings.HasPrefix(cfg.CredentialCache, kind) {
			return fmt.Errorf("CredentialCache is of type %s, and only files are read: have kinit write one (KRB5CCNAME=FILE:/path), or use a keytab",
				strings.TrimSuffix(kind, ":"))
		}
	}
	return nil
}

// defaultCache is where MIT's library and Java keep the tickets of a user.
func defaultCache() string {
	if env := os.Getenv("KRB5CCNAME"); env != "" {
		return env
	}
	return "/tmp/krb5cc_" + strconv.Itoa(os.Getuid())
}
