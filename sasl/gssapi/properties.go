package gssapi

import (
	"maps"
	"math"
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
		m, err := New(cfg)
		if err != nil {
			return nil, &sasl.SettingError{Key: jaasKey, Rule: "cannot be used: " + err.Error()}
		}
		return m, nil
	})
}

const (
	jaasKey    = "sasl.jaas.config"
	keyService = "sasl.kerberos.service.name"
	keyFactor  = "sasl.kerberos.ticket.renew.window.factor"
	keyJitter  = "sasl.kerberos.ticket.renew.jitter"
	keyRelogin = "sasl.kerberos.min.time.before.relogin"
)

// FromSettings reads the options of Krb5LoginModule, and the keys that begin with sasl.kerberos. All errors are
// [*sasl.SettingError]s, joined if they are several. sasl.kerberos.kinit.cmd is without effect: no program is run.
func FromSettings(s *sasl.Settings) (Config, error) {
	r := &reader{settings: s, left: maps.Clone(s.Login.Options)}
	var cfg Config
	switch module := s.Login.Module; {
	case module == "":
		r.key(jaasKey, "is not set: GSSAPI needs %s required …;", loginModule)
		return cfg, r.err()
	case module != loginModule && !strings.HasSuffix(module, "."+loginModule):
		r.key(jaasKey, "has the login module %s, and GSSAPI takes %s", sasl.Quoted(module), loginModule)
		return cfg, r.err()
	}
	r.credentials(&cfg)
	r.service(&cfg)
	r.renewal(&cfg)
	r.others()
	return cfg, r.err()
}

// credentials reads where the keys come from. As in Java, a ticket cache is looked into before a keytab.
func (r *reader) credentials(cfg *Config) {
	cfg.Principal = r.text("principal")
	useCache, cache := r.flag("useTicketCache", false), r.text("ticketCache")
	useKeytab, keytab := r.flag("useKeyTab", false), r.text("keyTab")
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
			cfg.Keytab = r.defaultKeytab()
		}
	}
	if cache != "" && !useCache {
		r.option("ticketCache", "is set, and useTicketCache=true is not")
	}
	if keytab != "" && !useKeytab {
		r.option("keyTab", "is set, and useKeyTab=true is not")
	}
	if cfg.RenewTickets && !useCache {
		r.option("renewTGT", "is true, and useTicketCache=true is not set")
	}
	if !useKeytab && !useCache && keytab == "" && cache == "" {
		r.option("useKeyTab", "is not true, and neither is useTicketCache: one of them is needed")
	}
	if useKeytab && cfg.Principal == "" {
		r.option("principal", "is not set, and useKeyTab=true needs it")
	}
}

// defaultKeytab is that of krb5.conf, as in Java.
func (r *reader) defaultKeytab() string {
	conf, err := loadKrb5Conf(krb5ConfFiles(""))
	if err != nil {
		r.option("keyTab", "is not set, and no other keytab is known: %v", err)
		return ""
	}
	return strings.TrimPrefix(conf.LibDefaults.DefaultKeytabName, "FILE:")
}

func (r *reader) service(cfg *Config) {
	key, option := r.settings.Keys[keyService], r.text("serviceName")
	cfg.ServiceName = key
	if key == "" {
		cfg.ServiceName = option
	}
	if key != "" && option != "" && key != option {
		r.key(keyService, "is %s, and serviceName in %s is %s: set one of them", sasl.Quoted(key), jaasKey, sasl.Quoted(option))
	}
	if cfg.ServiceName == "" {
		r.key(keyService, "is not set: it is the first part of the brokers' principals, such as kafka")
	} else if strings.ContainsAny(cfg.ServiceName, "/@") {
		r.key(keyService, "is %s: it is the first part of a principal alone, without host and realm", sasl.Quoted(cfg.ServiceName))
	}
	if how := r.text("canonicalizeHost"); how != "" {
		at := slices.Index(canonicalizeNames, strings.ToLower(how))
		if at < 0 {
			r.option("canonicalizeHost", "is %s: it is one of %s", sasl.Quoted(how), strings.Join(canonicalizeNames, ", "))
		}
		cfg.Canonicalize = Canonicalize(max(at, 0))
	}
}

func (r *reader) renewal(cfg *Config) {
	cfg.RenewWindowFactor = r.number(keyFactor, defaultWindowFactor)
	cfg.RenewJitter = r.number(keyJitter, defaultJitter)
	if !(cfg.RenewWindowFactor > 0 && cfg.RenewWindowFactor <= 1) {
		r.key(keyFactor, "is %v: it is more than 0 and not more than 1", cfg.RenewWindowFactor)
	}
	if !(cfg.RenewJitter >= 0 && cfg.RenewJitter <= mostJitter) {
		r.key(keyJitter, "is %v: it is 0 to %v", cfg.RenewJitter, mostJitter)
	}
	if cfg.RenewJitter == 0 {
		cfg.RenewJitter = -1 // Config's word for none
	}
	text, set := r.settings.Keys[keyRelogin]
	if !set {
		return
	}
	ms, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || ms < 0 || ms > int64(math.MaxInt64/time.Millisecond) {
		r.key(keyRelogin, "is %s: it is a number of milliseconds", sasl.Quoted(text))
	}
	cfg.MinTimeBeforeRelogin = max(time.Duration(ms)*time.Millisecond, 1) // 0 is Config's word for the default
}

// others reads what has no effect, refuses what cannot be had, and names what is left.
func (r *reader) others() {
	if !r.flag("isInitiator", true) {
		r.option("isInitiator", "is false, which makes an acceptor: a producer is an initiator")
	}
	if r.flag("useFirstPass", false) {
		r.option("useFirstPass", "is true, which takes a password of another login module: there is none")
	}
	if r.text("password") != "" {
		r.option("password", "is none of Krb5LoginModule: use a keytab, or set Password of gssapi.Config in code")
	}
	for _, without := range withoutEffect {
		r.flag(without, false)
	}
	for _, name := range slices.Sorted(maps.Keys(r.left)) {
		meant := ""
		for _, known := range slices.Concat(withEffect, withoutEffect) {
			if strings.EqualFold(known, name) {
				meant = "; did you mean " + known + "?"
			}
		}
		if meant == "" && r.settings.Ignore != nil && r.settings.Ignore(name, withEffect) {
			continue
		}
		r.option(name, "is no option of Krb5LoginModule, which has %s%s", strings.Join(withEffect, ", "), meant)
	}
}

var (
	withEffect = []string{"useKeyTab", "keyTab", "principal", "useTicketCache", "ticketCache", "renewTGT", "serviceName", "canonicalizeHost", "isInitiator", "useFirstPass"}

	// Nobody is asked for a password, and krb5.conf is read again when it changes.
	withoutEffect = []string{"doNotPrompt", "storeKey", "debug", "refreshKrb5Config", "tryFirstPass", "storePass", "clearPass"}
)
