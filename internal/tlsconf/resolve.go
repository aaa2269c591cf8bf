package tlsconf

import (
	"crypto/tls"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/internal/keystore"
)

// Result is the result of reading Java's settings.
type Result struct {
	// Config has all that the settings say: versions, cipher suites, and the certificates that the files have now. It can be
	// used by itself. It always checks host names: to skip that, see Files.SkipHostName.
	Config *tls.Config
	// Files says which files to read again, and whether host names are checked. The zero Files adds nothing to Config.
	// Certificates that stand in the settings themselves are in Config alone.
	Files Files

	Notices  []Notice
	Problems []Problem // if there are any, Config is incomplete
}

// Alone returns the configuration for a user who does not read the files again: with the certificates that they have now, and
// with what Files says about host names.
func (r *Result) Alone() *tls.Config {
	if r.Files.SkipHostName {
		skipHostName(r.Config)
	}
	return r.Config
}

// Resolve turns Java's ssl.* settings into a configuration of TLS. get returns the value of a setting, without blanks around it
// as Java takes it, and whether it is set at all. It reads the files that the settings name.
//
// A store's type means nothing unless it is PEM. Java, too, opens a PKCS12 store under the type JKS and the other way round:
// the content says what it is.
func Resolve(get func(key string) (value string, isSet bool)) *Result {
	r := &resolver{get: get, out: &Result{Config: &tls.Config{MinVersion: tls.VersionTLS12}}, now: time.Now()}
	r.versions()
	r.ciphers()
	r.trustStore()
	r.keyStore()
	r.hostName()
	return r.out
}

type resolver struct {
	get func(string) (string, bool)
	out *Result
	now time.Time

	lastVersionBy string // the key to which Config.MaxVersion is due
	badVersions   bool   // has a problem: what would contradict the versions is not known
}

func (r *resolver) value(key string) string {
	v, _ := r.get(key)
	return v
}

// password returns a password. An empty one counts, as in Java, but not beside a store that has none: templates have empty
// passwords.
func (r *resolver) password(key string) keystore.Password {
	if v, isSet := r.get(key); isSet {
		return keystore.NewPassword(v)
	}
	return nil
}

func (r *resolver) notice(key, text string) {
	r.out.Notices = append(r.out.Notices, Notice{key, text})
}

func (r *resolver) problem(key, rule string) {
	r.out.Problems = append(r.out.Problems, Problem{key, rule})
}

// take adds what loading has told, and reports whether it went well.
func (r *resolver) take(l *loaded) bool {
	r.out.Notices = append(r.out.Notices, l.notices...)
	r.out.Problems = append(r.out.Problems, l.problems...)
	return len(l.problems) == 0
}

const (
	keyTrustType   = "ssl.truststore.type"
	keyTrustInline = "ssl.truststore.certificates"
	keyKeysType    = "ssl.keystore.type"
	keyKeyInline   = "ssl.keystore.key"
	keyChainInline = "ssl.keystore.certificate.chain"
)

// settingsOf are the names of the settings of one store.
type settingsOf struct {
	kind, location, password, inline string

	without string   // what happens without the store
	idle    []string // the settings that are about nothing then
	joined  string   // how several files become one
}

var (
	trustSettings = settingsOf{keyTrustType, keyTrustLocation, keyTrustPassword, keyTrustInline,
		"the system's roots are trusted", []string{keyTrustType}, ""}
	keysSettings = settingsOf{keyKeysType, keyKeysLocation, keyKeysPassword, keyKeyInline,
		"no client certificate is shown", []string{keyKeysType, keyKeyPassword},
		": one file with key and certificates, which `cat tls.key tls.crt >client.pem` makes of two"}
)

// where says how a store is given.
type where uint8

const (
	nowhere where = iota
	inFile
	inline
)

// place finds out how a store is given, and reports contradictions.
func (r *resolver) place(of settingsOf) where {
	location, text, kind := r.value(of.location), r.value(of.inline), strings.ToUpper(r.value(of.kind))
	isPEM := kind == "PEM"
	switch {
	case location != "" && text != "":
		r.problem(of.location, "is set, and "+of.inline+" too: which is meant?")
		return nowhere
	case isPath(text):
		r.problem(of.inline, "holds the PEM itself, and the value seems to be a path, which goes into "+of.location+of.joined)
		return nowhere
	case text != "" && !isPEM:
		r.problem(of.kind, "must be PEM, since the certificates are in the properties")
		return nowhere
	case location == "" && (kind == "WINDOWS-MY" || kind == "WINDOWS-ROOT" || kind == "KEYCHAINSTORE" || kind == "PKCS11"):
		r.problem(of.kind, "is no file but a store of the operating system or of a device, which cannot be read here: give a file, or set Config.TLS")
		return nowhere
	case location == "" && text == "":
		told := r.empty(of)
		if r.value(of.password) != "" {
			r.problem(of.password, "is set, and "+of.location+" is not")
		} else if !told {
			r.idle(of)
		}
		return nowhere
	case text != "":
		if r.passwordOfPEM(of) {
			return nowhere
		}
		return inline
	}
	return inFile
}

// empty tells of a store whose type is given and whose place is an empty value, as a variable that nobody has set leaves it:
// it was wanted. A template has all its settings empty, and wants none. It reports whether there was anything to tell.
func (r *resolver) empty(of settingsOf) bool {
	told := false
	for _, key := range []string{of.location, of.inline} {
		if _, isSet := r.get(key); isSet && r.value(of.kind) != "" {
			r.notice(key, "is empty, and counts as left out: "+of.without+". Java refuses it; leave the line out, or give the store")
			told = true
		}
	}
	return told
}

// idle tells of each setting that is about a store which is not there. A type that is the default asks for nothing.
func (r *resolver) idle(of settingsOf) {
	for _, key := range of.idle {
		if v := r.value(key); v != "" && (key != of.kind || !strings.EqualFold(v, "JKS")) {
			r.notice(key, "has no effect, as in Java, since neither "+of.location+" nor "+of.inline+" is set: "+of.without)
		}
	}
}

// isPath reports whether a value in the place of PEM is the path of a file.
func isPath(value string) bool {
	if value == "" || strings.ContainsAny(value, "\r\n") || strings.Contains(value, "-----") {
		return false
	}
	extension := strings.ToLower(filepath.Ext(value))
	return slices.Contains([]string{".pem", ".crt", ".cer", ".key", ".jks", ".p12", ".pfx"}, extension) ||
		strings.HasPrefix(value, "/") || strings.HasPrefix(value, "./") || strings.HasPrefix(value, "~/") || strings.HasPrefix(value, "file:")
}

// passwordOfPEM refuses what Java refuses.
func (r *resolver) passwordOfPEM(of settingsOf) bool {
	if _, isSet := r.get(of.password); !isSet {
		return false
	}
	r.problem(of.password, "belongs to JKS and PKCS12: leave it out with PEM, as Java demands too")
	return true
}

// content reads the file of a store, and checks that it is PEM if it is said to be.
func (r *resolver) content(of settingsOf, s store) (content, bool) {
	c := s.read()
	kind := r.value(of.kind)
	if !strings.EqualFold(kind, "PEM") {
		return c, true
	}
	found := keystore.Sniff(c.data)
	if c.err != nil || found != keystore.JKS && found != keystore.PKCS12 {
		wrong := r.passwordOfPEM(of)
		return c, c.err != nil || !wrong
	}
	if wrong := keystore.NotPEM(c.data); keystore.IsDER(c.data) {
		r.problem(of.location, wrong.AboutFile(s.name(), s.file()))
		return c, false
	}
	rule := "is " + kind + ", and " + s.name() + " is a " + string(found) + " store: leave the type out"
	if _, isSet := r.get(of.password); !isSet {
		rule += ", and set " + of.password
	}
	r.problem(of.kind, rule)
	return c, false
}

func (r *resolver) trustStore() {
	l := &loaded{}
	switch r.place(trustSettings) {
	case nowhere:
		return
	case inline:
		s := store{location: keyTrustInline, password: keyTrustPassword}
		l.loadTrust(s.called("the value"), content{data: []byte(r.value(keyTrustInline))}, nil, r.now)
	case inFile:
		files := Files{TrustStore: r.value(keyTrustLocation), TrustStorePassword: r.password(keyTrustPassword)}
		c, ok := r.content(trustSettings, files.trustStore())
		if !ok {
			return
		}
		l.loadTrust(files.trustStore(), c, files.TrustStorePassword, r.now)
		r.out.Files.TrustStore, r.out.Files.TrustStorePassword = files.TrustStore, files.TrustStorePassword
	}
	if r.take(l) {
		r.out.Config.RootCAs = l.roots
	}
}

func (r *resolver) keyStore() {
	key, chain := r.value(keyKeyInline), r.value(keyChainInline)
	switch {
	case key != "" && chain == "":
		r.problem(keyKeyInline, "needs "+keyChainInline+" with it")
		return
	case key == "" && chain != "":
		r.problem(keyChainInline, "needs "+keyKeyInline+" with it")
		return
	}
	l := &loaded{}
	keyPassword := r.password(keyKeyPassword)
	switch r.place(keysSettings) {
	case nowhere:
		return
	case inline:
		s := store{location: keyKeyInline, password: keyKeysPassword, keySecret: keyKeyPassword}
		l.loadKeys(s.called("the value"), content{data: []byte(key + "\n" + chain)}, nil, keyPassword, r.now)
	case inFile:
		files := Files{KeyStore: r.value(keyKeysLocation), KeyStorePassword: r.password(keyKeysPassword), KeyPassword: keyPassword}
		c, ok := r.content(keysSettings, files.keyStore())
		if !ok {
			return
		}
		l.loadKeys(files.keyStore(), c, files.KeyStorePassword, files.KeyPassword, r.now)
		r.out.Files.KeyStore, r.out.Files.KeyStorePassword, r.out.Files.KeyPassword = files.KeyStore, files.KeyStorePassword, files.KeyPassword
	}
	if r.take(l) {
		r.out.Config.Certificates = l.pairs
	}
}

func (r *resolver) hostName() {
	switch algorithm, isSet := r.get(keyHostName); {
	case !isSet || strings.EqualFold(algorithm, "https"):
	case algorithm == "":
		r.out.Files.SkipHostName = true
		r.notice(keyHostName, "host names are not checked: whoever has any certificate of a trusted authority can pose as the server")
	case strings.EqualFold(algorithm, "none"):
		r.problem(keyHostName, "must be https, or empty for no check of the host name; none is librdkafka's word for that")
	default:
		r.problem(keyHostName, "must be https, or empty for no check of the host name")
	}
}
