package gssapi

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/sasl"
)

// loginModule is the JDK's class, whose options are understood.
const loginModule = "com.sun.security.auth.module.Krb5LoginModule"

func init() {
	sasl.Register(Name, func(s *sasl.Settings) (sasl.Mechanism, error) {
		cfg, err := FromSettings(s)
		if err != nil {
			return nil, err
		}
		return New(cfg)
	})
}

const (
	keyService   = "sasl.kerberos.service.name"
	keyFactor    = "sasl.kerberos.ticket.renew.window.factor"
	keyJitter    = "sasl.kerberos.ticket.renew.jitter"
	keyRelogin   = "sasl.kerberos.min.time.before.relogin"
	keyPrincipal = "sasl.kerberos.principal" // librdkafka's, as the next
	keyKeytab    = "sasl.kerberos.keytab"
)

// FromSettings reads the options of Krb5LoginModule, and the keys that begin with sasl.kerberos. Errors name the option or
// the key. sasl.kerberos.kinit.cmd is without effect: no program is run.
func FromSettings(s *sasl.Settings) (Config, error) {
	r := &reader{settings: s, left: maps.Clone(s.Login.Options)}
	var cfg Config
	if s.Login.Module != "" && s.Login.Module != loginModule {
		return cfg, fmt.Errorf("sasl.jaas.config: the login module %s is not known: GSSAPI takes %s", shown(s.Login.Module), loginModule)
	}
	r.credentials(&cfg)
	r.service(&cfg)
	r.renewal(&cfg)
	for _, name := range slices.Sorted(maps.Keys(r.left)) {
		r.fail("sasl.jaas.config: the option %s of Krb5LoginModule is not known", shown(name))
	}
	return cfg, r.err
}

// A reader takes options one by one, and keeps the first error.
type reader struct {
	settings *sasl.Settings
	left     map[string]sasl.Secret // the options that nobody has asked for yet
	err      error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

func (r *reader) option(name string) string {
	value := string(r.left[name])
	delete(r.left, name)
	return value
}

func (r *reader) flag(name string, otherwise bool) bool {
	switch value := r.option(name); strings.ToLower(value) {
	case "true":
		return true
	case "false":
		return false
	case "":
	default:
		r.fail("sasl.jaas.config: %s is %s: it is true or false", name, shown(value))
	}
	return otherwise
}

// credentials reads where the keys come from. As in Java, a ticket cache is looked into before a keytab.
func (r *reader) credentials(cfg *Config) {
	cfg.Principal = r.option("principal")
	useCache, cache := r.flag("useTicketCache", false), r.option("ticketCache")
	useKeytab, keytab := r.flag("useKeyTab", false), r.option("keyTab")
	cfg.RenewTickets = r.flag("renewTGT", false)
	if useCache {
		cfg.CredentialCache = cache
		if cache == "" {
			cfg.CredentialCache = defaultCache()
		}
	}
	if useKeytab {
		cfg.Keytab = strings.TrimPrefix(keytab, "FILE:")
		if keytab == "" {
			cfg.Keytab = r.defaultKeytab(cfg)
		}
	}
	switch {
	case cache != "" && !useCache:
		r.fail("sasl.jaas.config: ticketCache is set, and useTicketCache=true is not")
	case keytab != "" && !useKeytab:
		r.fail("sasl.jaas.config: keyTab is set, and useKeyTab=true is not")
	case cfg.RenewTickets && !useCache:
		r.fail("sasl.jaas.config: renewTGT=true needs useTicketCache=true")
	case !r.flag("isInitiator", true):
		r.fail("sasl.jaas.config: isInitiator=false makes an acceptor: a producer is an initiator")
	case r.flag("useFirstPass", false):
		r.fail("sasl.jaas.config: useFirstPass=true takes a password of another login module: there is none")
	}
	if _, ok := r.left["password"]; ok {
		r.fail("sasl.jaas.config: Krb5LoginModule has no option password: use a keytab, or set Password of gssapi.Config in code")
	}
	for _, without := range []string{"doNotPrompt", "storeKey", "debug", "refreshKrb5Config", "tryFirstPass", "storePass", "clearPass"} {
		r.flag(without, false) // nobody is asked for a password, and krb5.conf is read again when it changes
	}
	if r.settings.Login.Module == "" {
		cfg.Principal, cfg.Keytab = r.settings.Keys[keyPrincipal], r.settings.Keys[keyKeytab]
	}
	if r.err == nil && cfg.CredentialCache == "" && cfg.Keytab == "" {
		r.fail("sasl.jaas.config: neither useKeyTab=true nor useTicketCache=true is set")
	}
	if r.err == nil && cfg.Keytab != "" && cfg.Principal == "" {
		r.fail("sasl.jaas.config: principal is not set, and useKeyTab=true needs it")
	}
}

// defaultKeytab is that of krb5.conf, as in Java.
func (r *reader) defaultKeytab(cfg *Config) string {
	conf, err := loadKrb5Conf(krb5ConfFiles(cfg.Krb5Conf))
	if err != nil {
		r.fail("sasl.jaas.config: useKeyTab=true without keyTab: %w", err)
		return ""
	}
	return strings.TrimPrefix(conf.LibDefaults.DefaultKeytabName, "FILE:")
}

func (r *reader) service(cfg *Config) {
	key, option := r.settings.Keys[keyService], r.option("serviceName")
	cfg.ServiceName = key
	if key == "" {
		cfg.ServiceName = option
	}
	if key != "" && option != "" && key != option {
		r.fail("%s is %s, and serviceName in sasl.jaas.config is %s: set one of them", keyService, shown(key), shown(option))
	}
	if cfg.ServiceName == "" {
		r.fail("%s is not set: it is the first part of the brokers' principals, such as kafka", keyService)
	}
	if how := r.option("canonicalizeHost"); how != "" {
		at := slices.Index(canonicalizeNames, strings.ToLower(how))
		if at < 0 {
			r.fail("sasl.jaas.config: canonicalizeHost is %s: it is one of %s", shown(how), strings.Join(canonicalizeNames, ", "))
		}
		cfg.Canonicalize = Canonicalize(max(at, 0))
	}
}

func (r *reader) renewal(cfg *Config) {
	cfg.RenewWindowFactor = r.number(keyFactor, defaultWindowFactor)
	cfg.RenewJitter = r.number(keyJitter, defaultJitter)
	if !(cfg.RenewWindowFactor > 0 && cfg.RenewWindowFactor <= 1) {
		r.fail("%s is %v: it is more than 0 and not more than 1", keyFactor, cfg.RenewWindowFactor)
	}
	if !(cfg.RenewJitter >= 0 && cfg.RenewJitter <= mostJitter) {
		r.fail("%s is %v: it is 0 to %v", keyJitter, cfg.RenewJitter, mostJitter)
	}
	if cfg.RenewJitter == 0 {
		cfg.RenewJitter = -1 // Config's word for none
	}
	text, set := r.settings.Keys[keyRelogin]
	if !set {
		return
	}
	ms, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || ms < 0 || ms > int64(time.Duration(1<<63-1)/time.Millisecond) {
		r.fail("%s is %s: it is a number of milliseconds", keyRelogin, shown(text))
	}
	cfg.MinTimeBeforeRelogin = max(time.Duration(ms)*time.Millisecond, 1) // 0 is Config's word for the default
}

func (r *reader) number(key string, otherwise float64) float64 {
	text, set := r.settings.Keys[key]
	if !set {
		return otherwise
	}
	number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		r.fail("%s is %s: it is a number", key, shown(text))
		return otherwise
	}
	return number
}
