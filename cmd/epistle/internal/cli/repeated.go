package cli

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// repeated sets flags as they come, and notes those that are given again with another value, of which one counts. Flags that
// may be repeated are left alone; of a setting that is its key.
type repeated struct {
	fs       *pflag.FlagSet
	settings map[string]string // of -X, the value that was given last
	told     map[string]bool
	notes    []string
}

// set sets a flag.
func (r *repeated) set(f *pflag.Flag, value string) error {
	before, again := f.Value.String(), f.Changed
	if err := r.fs.Set(f.Name, value); err != nil {
		return err
	}
	switch what, _ := pflag.UnquoteUsage(f); {
	case what == "key=value":
		r.setting(value)
	case f.Value.Type() == "stringArray":
	case again && before != f.Value.String():
		text := ""
		if host, more := strings.CutSuffix(what, ",…"); more {
			text = ", and may have several: " + host + "," + host
		}
		r.note(flagName(f), text)
	}
	return nil
}

// setting notes one of -X.
func (r *repeated) setting(pair string) {
	if r.settings == nil {
		r.settings = make(map[string]string)
	}
	key, value := cutSetting(pair)
	before, again := r.settings[key]
	r.settings[key] = value
	if again && before != value {
		r.note(ui.Plain(key), "")
	}
}

func (r *repeated) note(name, more string) {
	if r.told[name] {
		return
	}
	if r.told == nil {
		r.told = make(map[string]bool)
	}
	r.told[name] = true
	r.notes = append(r.notes, name+": is given more than once; the last value counts"+more)
}

// cutSetting divides one of -X into key and value. The setting of a topic has a name of its own in kcat.
func cutSetting(pair string) (key, value string) {
	key, value, _ = strings.Cut(pair, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if ofTopic, ok := strings.CutPrefix(key, kcatTopic); ok && key != "topic.recreation" {
		key = ofTopic
	}
	return key, value
}
