package cli

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/internal/slips"
	"github.com/epistle-kafka/epistle/producer"
)

// Settings are the flags from which a producer's settings come, the same in every command. A flag such as -z wins over -X, and
// -X over the file.
type Settings struct {
	Bootstrap string
	file      string
	pairs     []string          // of -X
	flags     map[string]string // by Java's key, from other flags
	names     map[string]string // by Java's key, which flag that is
	typed     map[string]string // by Java's key, how it was typed if it was otherwise
	login     login
}

// AddBootstrap adds -b.
func (s *Settings) AddBootstrap(fs *pflag.FlagSet, usage string) {
	fs.StringVarP(&s.Bootstrap, "bootstrap", "b", "", usage)
}

// BootstrapUsage describes -b where it is needed.
const BootstrapUsage = "`host:port,…`: brokers of the cluster; the others are learnt from them"

// AddProperties adds -X and --config.
func (s *Settings) AddProperties(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&s.pairs, "property", "X", nil, "`key=value`: a setting of the producer by Java's name, or by librdkafka's; repeatable")
	fs.StringVar(&s.file, "config", "", "`file`: a Java producer.properties; -X and other flags win over it")
	s.login.add(fs)
}

// Set gives a setting by Java's key, as another flag says it.
func (s *Settings) Set(flag, key, value string) {
	if s.flags == nil {
		s.flags, s.names = make(map[string]string), make(map[string]string)
	}
	s.flags[key], s.names[key] = value, flag
}

// Has reports whether a key is given in any way but by the file.
func (s *Settings) Has(key string) bool {
	_, ok := s.flags[key]
	return ok || slices.ContainsFunc(s.pairs, func(pair string) bool {
		k, _, _ := strings.Cut(pair, "=")
		return strings.TrimSpace(k) == key
	})
}

// Extract takes out settings that are not the producer's. If one is given several times, the last one counts.
func (s *Settings) Extract(keys ...string) map[string]string {
	found := make(map[string]string)
	s.pairs = slices.DeleteFunc(s.pairs, func(pair string) bool {
		key, value, _ := strings.Cut(pair, "=")
		key = strings.TrimSpace(key)
		if !slices.Contains(keys, key) {
			return false
		}
		found[key] = value
		return true
	})
	return found
}

// Keys are the settings of -X, in their order.
func (s *Settings) Keys() (keys []string) {
	for _, pair := range s.pairs {
		key, _, _ := strings.Cut(pair, "=")
		keys = append(keys, strings.TrimSpace(key))
	}
	return keys
}

// Misspelt returns a key that is probably a slip for one of keys, and which one; "" if there is none.
func (s *Settings) Misspelt(keys []string) (key, meant string) {
	for _, pair := range s.pairs {
		key, _, _ := strings.Cut(pair, "=")
		key = strings.TrimSpace(key)
		if _, known := settingNamed(key); known || len(key) > maxTyped {
			continue
		}
		for _, k := range keys {
			if slips.Between(key, k) <= 2 && len(key) > 5 {
				return key, k
			}
		}
	}
	return "", ""
}

// Config makes the producer's settings. ctx ends the reading of files, which may be pipes without a writer. Notices go to
// standard error. What is wrong is one usage error with all of it. A password is asked for when nothing else is wrong.
func (s *Settings) Config(ctx context.Context, env *Env) (producer.Config, error) {
	given, err := s.given()
	if err != nil {
		return producer.Config{}, err
	}
	s.tellDropped(env)
	warnOfExposed(env, exposed(given))
	asked, err := s.login.asked(given, s.file != "")
	if err != nil {
		return producer.Config{}, err
	}
	r, err := Await(ctx, func() (resolved, error) { return s.resolve(given) }, nil)
	cfg, notices := r.cfg, r.notices
	if interrupted, ok := errors.AsType[*Interrupted](err); ok {
		return cfg, Refused("the settings", interrupted)
	}
	cfg.Logger = newLogger(env)
	wrong, _ := errors.AsType[*producer.PropertiesError](err)
	if asked {
		notices = slices.DeleteFunc(notices, ofLogin)
		s.asTyped("sasl.username", "--user")
	}
	s.nameAsTyped(wrong, notices)
	tellOnce(env, notices)
	if wrong != nil {
		return cfg, &UsageError{problems(wrong)}
	}
	if err == nil && asked {
		err = s.login.mechanism(ctx, env, &cfg)
	}
	return cfg, err
}

// ofLogin says that a notice is of a key that --user has set.
func ofLogin(n producer.Notice) bool {
	return n.Line == 0 && (n.Key == "sasl.username" || n.Key == "sasl.password")
}

// tellOnce tells each notice, the same one once.
func tellOnce(env *Env, notices []producer.Notice) {
	told := make(map[string]bool)
	for _, n := range notices {
		if text := n.String(); !told[text] {
			told[text] = true
			env.Say("note: %s", ui.OneLine(errors.New(text)))
		}
	}
}

// given are the settings outside the file.
func (s *Settings) given() (map[string]string, error) {
	given := make(map[string]string)
	for _, pair := range s.pairs {
		key, _, ok := strings.Cut(pair, "=")
		if key = strings.TrimSpace(key); !ok || key == "" {
			return nil, Usagef("-X %s: want key=value, such as -X linger.ms=20", pair)
		}
		if len(key) > maxTyped {
			return nil, Usagef("-X %s: is not a known setting: none has so long a name", key)
		}
		ours, value := cutSetting(pair)
		if ours != key {
			s.asTyped(ours, key)
		}
		given[ours] = value
	}
	maps.Copy(given, s.flags)
	if s.Bootstrap != "" {
		given["bootstrap.servers"] = s.Bootstrap
	}
	if given["bootstrap.servers"] == "" && given["metadata.broker.list"] == "" && s.file == "" {
		return nil, Usagef("which cluster? Name a broker with -b host:port")
	}
	return given, nil
}

// namesNoCluster reports whether neither -b nor -X nor a file can name a broker.
func (s *Settings) namesNoCluster() bool {
	return s.Bootstrap == "" && !s.Has("bootstrap.servers") && !s.Has("metadata.broker.list") && s.file == ""
}

// NoTopic is the error where -t is missing, and says in one go if -b is missing, too. more follows.
func (s *Settings) NoTopic(more Phrase) error {
	if s.namesNoCluster() {
		return Usagef("which cluster, and which topic? Name a broker with -b host:port, and the topic with -t%s", more)
	}
	return Usagef("which topic? Name it with -t%s", more)
}

// tellDropped names settings of -X that have no effect, since a flag of their own says otherwise.
func (s *Settings) tellDropped(env *Env) {
	wins, names := maps.Clone(s.flags), maps.Clone(s.names)
	if wins == nil {
		wins, names = make(map[string]string), make(map[string]string)
	}
	wins["bootstrap.servers"], names["bootstrap.servers"] = s.Bootstrap, "-b"
	wins["sasl.username"], names["sasl.username"] = s.login.user, "--user"
	last := make(map[string]string)
	for _, pair := range s.pairs {
		key, value := cutSetting(pair)
		last[key] = value
	}
	for _, key := range slices.Sorted(maps.Keys(last)) {
		if flag := names[key]; flag != "" && wins[key] != "" && wins[key] != last[key] {
			env.Say("note: %s: has no effect, since %s is given", key, flag)
		}
	}
}

// kcatTopic is before the name of a setting that is a topic's, to kcat.
const kcatTopic = "topic."

// asTyped notes how a key was typed, for messages.
func (s *Settings) asTyped(key, typed string) {
	if s.typed == nil {
		s.typed = make(map[string]string)
	}
	s.typed[key] = typed
}

// nameAsTyped replaces the keys of problems and notices that are not from the file by what the user has typed, and adds the
// flags for what was probably meant. Advice for those who write a program becomes advice for its users.
func (s *Settings) nameAsTyped(wrong *producer.PropertiesError, notices []producer.Notice) {
	for i := range notices {
		if typed, ok := s.typed[notices[i].Key]; ok && notices[i].Line == 0 {
			notices[i].Key = typed
		}
	}
	if wrong == nil {
		return
	}
	for i := range wrong.Problems {
		p := &wrong.Problems[i]
		p.Rule = forUsers(p.Rule)
		if p.Line > 0 {
			continue
		}
		if typed, ok := s.typed[p.Key]; ok {
			p.Key = typed
		}
		if flag := flagFor[p.Suggestion]; flag != "" {
			p.Rule += " (or " + flag + ")"
		}
	}
}

// flagFor has the flags that set what -X can set too.
var flagFor = map[string]string{"bootstrap.servers": "-b", "compression.type": "-z", "transactional.id": "--transactional-id"}

// resolved is the result of resolve.
type resolved struct {
	cfg     producer.Config
	notices []producer.Notice
}

// resolve reads the file, if there is one, and what is given besides, which wins. An unknown key is a note if it is in the
// file, as in Java, and a mistake if it is on the command line.
func (s *Settings) resolve(given map[string]string) (resolved, error) {
	if s.file == "" {
		cfg, notices, err := producer.FromMap(given, producer.RefuseUnknown(), producer.LibrdkafkaNames())
		return resolved{cfg, notices}, err
	}
	file, err := os.Open(s.file)
	if err != nil {
		return resolved{}, Usagef("--config: %v", err)
	}
	defer file.Close()
	cfg, notices, err := producer.FromProperties(file, producer.Override(given), producer.LibrdkafkaNames())
	if _, wrong := errors.AsType[*producer.PropertiesError](err); err != nil && !wrong {
		return resolved{}, Usagef("--config: %v", err)
	}
	return resolved{cfg, notices}, err
}

// Topic is the flag -t.
type Topic string

// AddTopic adds -t.
func (t *Topic) AddTopic(fs *pflag.FlagSet) {
	fs.StringVarP((*string)(t), "topic", "t", string(*t), "`name`: the topic")
}

// HasFile reports whether --config is given.
func (s *Settings) HasFile() bool { return s.file != "" }
