package tlsconf

import (
	"crypto/tls"
	"strings"

	"github.com/epistle-kafka/epistle/internal/shown"
)

const (
	keyProtocols = "ssl.enabled.protocols"
	keyProtocol  = "ssl.protocol"
	keyCiphers   = "ssl.cipher.suites"
)

// list splits a value as Java does lists.
func list(value string) []string {
	var items []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// versions sets the first and last version of TLS.
func (r *resolver) versions() {
	r.lastVersionBy = keyProtocols
	r.enabledVersions()
	r.newestVersion()
}

func (r *resolver) enabledVersions() {
	names := list(r.value(keyProtocols))
	if len(names) == 0 {
		return
	}
	c := r.out.Config
	c.MinVersion = tls.VersionTLS13
	var tls12, tls13 bool
	for _, name := range names {
		switch name {
		case "TLSv1.2":
			tls12 = true
			c.MinVersion = tls.VersionTLS12
		case "TLSv1.3":
			tls13 = true
		case "TLSv1", "TLSv1.1", "SSLv3", "SSLv2Hello":
			r.notice(keyProtocols, name+" is left out: it is broken, and current JVMs disable it too")
		default:
			r.badVersions = true
			r.problem(keyProtocols, "has "+shown.Name(name)+", but knows TLSv1.2 and TLSv1.3"+versionMeant(name))
		}
	}
	if !tls13 {
		c.MaxVersion = tls.VersionTLS12
	}
	if !tls12 && !tls13 && !r.badVersions {
		r.badVersions = true
		r.problem(keyProtocols, "must have TLSv1.2 or TLSv1.3")
	}
}

// newestVersion leaves TLS 1.3 out if ssl.protocol is TLSv1.2: Java's clients then do not offer it, though
// ssl.enabled.protocols has it. Java does not tell apart upper and lower case here.
func (r *resolver) newestVersion() {
	c, name := r.out.Config, r.value(keyProtocol)
	switch strings.ToUpper(name) {
	case "", "TLS", "SSL", "TLSV1.3":
	case "TLSV1.2":
		if c.MinVersion == tls.VersionTLS13 && !r.badVersions {
			r.badVersions = true
			r.problem(keyProtocol, "leaves out TLS 1.3, while "+keyProtocols+" asks for TLSv1.3 only: leave one of them out")
		}
		if c.MaxVersion == 0 {
			c.MaxVersion, r.lastVersionBy = tls.VersionTLS12, keyProtocol
		}
	case "TLSV1", "TLSV1.1", "SSLV3":
		r.notice(keyProtocol, "has no effect: "+name+" is broken, and current JVMs disable it too; "+keyProtocols+" decides")
	default:
		r.problem(keyProtocol, "is "+shown.Name(name)+", but must be TLSv1.2 or TLSv1.3"+versionMeant(name))
	}
}

// versionMeant says which version was probably meant by a name that is none, such as TLS1.2 or tlsv13; "" if that is not clear.
func versionMeant(name string) string {
	number := strings.NewReplacer(".", "", "_", "", "-", "", " ", "").Replace(strings.TrimLeft(strings.ToUpper(name), "TLSV_- "))
	switch number {
	case "12":
		return "; did you mean TLSv1.2?"
	case "13":
		return "; did you mean TLSv1.3?"
	}
	return ""
}

// ciphers narrows what is offered to the list, and never widens it.
func (r *resolver) ciphers() {
	names := list(r.value(keyCiphers))
	if len(names) == 0 {
		return
	}
	known := map[string]*tls.CipherSuite{}
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		known[s.Name] = s
	}
	c := r.out.Config
	modern := false // a suite of TLS 1.3 is listed
	for _, name := range names {
		switch s := known[name]; {
		case s == nil && strings.Contains(name, "-"):
			r.notice(keyCiphers, shown.Name(name)+" is left out: it is OpenSSL's name of a suite, Java's have _ and begin with TLS_")
		case s == nil:
			r.notice(keyCiphers, shown.Name(name)+" is left out: Go does not have it")
		case s.SupportedVersions[0] == tls.VersionTLS13:
			modern = true
		default:
			c.CipherSuites = append(c.CipherSuites, s.ID)
		}
	}
	switch {
	case !modern && len(c.CipherSuites) == 0:
		r.problem(keyCiphers, "has no cipher suite that Go knows")
	case !modern:
		c.MaxVersion = tls.VersionTLS12
		if c.MinVersion > c.MaxVersion && !r.badVersions {
			r.problem(keyCiphers, "has suites of TLS 1.2 only, while "+keyProtocols+" asks for TLSv1.3 only")
		}
	case len(c.CipherSuites) == 0:
		c.MinVersion = tls.VersionTLS13
		if c.MaxVersion == tls.VersionTLS12 && !r.badVersions {
			r.problem(keyCiphers, "has suites of TLS 1.3 only, while "+r.lastVersionBy+" asks for TLSv1.2 only")
		}
		fallthrough
	default:
		r.notice(keyCiphers, "of TLS 1.3, Go offers all suites: they cannot be chosen singly")
	}
}
