package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// Settings are the flags from which a producer's settings come, the same in every command. A flag such as -z wins over
// -X, and -X over the file.
type Settings struct {
	Bootstrap string
	file      string
	pairs     []string          // of -X
	flags     map[string]string // by Java's key, from other flags
	typed     map[string]string // by Java's key, how it was typed if it was otherwise
}

// AddBootstrap adds -b.
func (s *Settings) AddBootstrap(fs *pflag.FlagSet, usage string) {
	fs.StringVarP(&s.Bootstrap, "bootstrap", "b", "", usage)
}

// BootstrapUsage describes -b where it is needed.
const BootstrapUsage = "`host:port,…`: brokers of the cluster; the others are learnt from them"

// AddProperties adds -X and --config.
func (s *Settings) AddProperties(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&s.pairs, "property", "X", nil, "`key=value`: a setting of the producer by Java's name; repeatable")
	fs.StringVar(&s.file, "config", "", "`file`: a Java producer.properties; -X and other flags win over it")
}

// Set gives a setting by Java's key, as another flag says it.
func (s *Settings) Set(key, value string) {
	if s.flags == nil {
		s.flags = make(map[string]string)
	}
	s.flags[key] = value
}

// Has reports whether a key is given by any of the ways, the file excepted.
func (s *Settings) Has(key string) bool {
	_, ok := s.flags[key]
	return ok || slices.ContainsFunc(s.pairs, func(pair string) bool {
		k, _, _ := strings.Cut(pair, "=")
		return strings.TrimSpace(k) == key
	})
}

// Extract takes out settings that are not the producer's, however often they are given; the last one counts.
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

// Misspelt returns the key that is probably one of some that are not the producer's, and which, or "".
func (s *Settings) Misspelt(keys []string) (key, meant string) {
	for _, pair := range s.pairs {
		key, _, _ := strings.Cut(pair, "=")
		key = strings.TrimSpace(key)
		if _, known := settingNamed(key); known || len(key) > maxTyped {
			continue
		}
		for _, k := range keys {
			if distance(key, k) <= 2 && len(key) > 5 {
				return key, k
			}
		}
	}
	return "", ""
}

// Config makes the producer's settings, until ctx ends: files may be pipes that nobody writes to. What may surprise is told on standard error; what is wrong is a usage error with
// all of it.
func (s *Settings) Config(ctx context.Context, env *Env) (producer.Config, error) {
	given, err := s.given()
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
	s.nameAsTyped(wrong, notices)
	for _, n := range notices {
		env.Say("note: %s", ui.OneLine(errors.New(n.String())))
	}
	if wrong != nil {
		return cfg, &UsageError{problems(wrong)}
	}
	return cfg, err
}

// given are the settings outside the file.
func (s *Settings) given() (map[string]string, error) {
	given := make(map[string]string)
	for _, pair := range s.pairs {
		key, value, ok := strings.Cut(pair, "=")
		if key = strings.TrimSpace(key); !ok || key == "" {
			return nil, Usagef("-X %s: want key=value, such as -X linger.ms=20", pair)
		}
		if len(key) > maxTyped {
			return nil, Usagef("-X %s: is not a known setting: none has so long a name", key)
		}
		if ofTopic, ok := strings.CutPrefix(key, kcatTopic); ok && key != "topic.recreation" {
			key = ofTopic
			s.asTyped(key, kcatTopic+key)
		}
		given[key] = strings.TrimSpace(value)
	}
	maps.Copy(given, s.flags)
	if s.Bootstrap != "" {
		given["bootstrap.servers"] = s.Bootstrap
	}
	if given["bootstrap.servers"] == "" && s.file == "" {
		return nil, Usagef("which cluster? Name a broker with -b host:port")
	}
	return given, nil
}

// kcatTopic is before the name of a setting that is a topic's, to kcat.
const kcatTopic = "topic."

// asTyped notes how a key was typed, for what is told of it.
func (s *Settings) asTyped(key, typed string) {
	if s.typed == nil {
		s.typed = make(map[string]string)
	}
	s.typed[key] = typed
}

// nameAsTyped puts the keys of problems and notices that are not of the file as the user has typed them, and adds the flags
// that there are for what was meant.
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

// resolved is what settings have come to.
type resolved struct {
	cfg     producer.Config
	notices []producer.Notice
}

func (s *Settings) resolve(given map[string]string) (resolved, error) {
	if s.file == "" {
		cfg, notices, err := producer.FromMap(given)
		return resolved{cfg, notices}, err
	}
	text, err := os.ReadFile(s.file)
	if err != nil {
		return resolved{}, Usagef("--config: %v", err)
	}
	// What is given besides follows the file's own lines, and so wins over them. The empty line ends a last line that
	// announces its continuation.
	own := strings.Count(string(text), "\n") + 1
	var b strings.Builder
	b.Write(text)
	b.WriteString("\n\n")
	for _, key := range slices.Sorted(maps.Keys(given)) {
		fmt.Fprintf(&b, "%s=%s\n", escape(key), escape(given[key]))
	}
	cfg, notices, err := producer.FromProperties(strings.NewReader(b.String()))
	var wrong *producer.PropertiesError
	if errors.As(err, &wrong) {
		for i := range wrong.Problems {
			if p := &wrong.Problems[i]; p.Line > own {
				p.Line = 0
			}
		}
	}
	return resolved{cfg, fileNotices(notices, own, given)}, err
}

// fileNotices leaves out that a setting of the file gives way to one of the command line, which is what the user wanted,
// and the numbers of lines that the file does not have.
func fileNotices(notices []producer.Notice, own int, given map[string]string) (kept []producer.Notice) {
	for _, n := range notices {
		if _, ok := given[n.Key]; ok && n.Line <= own && strings.HasPrefix(n.Text, "overridden by line") {
			continue
		}
		if n.Line > own {
			n.Line = 0
		}
		kept = append(kept, n)
	}
	return kept
}

// escape writes text for a file of properties, whatever encoding the rest of it has.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == utf8.RuneError:
			b.WriteString(`\uFFFD`)
		case r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04X\u%04X`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		case r > '~' || r < ' ':
			fmt.Fprintf(&b, `\u%04X`, r)
		case strings.ContainsRune(`\:=#! `, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Topic is the flag -t.
type Topic string

// AddTopic adds -t.
func (t *Topic) AddTopic(fs *pflag.FlagSet) {
	fs.StringVarP((*string)(t), "topic", "t", string(*t), "`name`: the topic")
}

// HasFile reports whether --config is given.
func (s *Settings) HasFile() bool { return s.file != "" }
