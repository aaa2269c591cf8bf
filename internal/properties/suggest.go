package properties

import (
	"fmt"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/internal/slips"
)

// meaning is what is known of a key that is not the producer's.
type meaning struct {
	key  string // of the producer's, that was probably meant; "" for none
	text string // a sentence that begins with "it"; "" if nobody knows the key
	slip bool   // the key is only near, by its letters
	read bool   // who asks for librdkafka's names reads it
}

// refusal is the text if the key is an error, and consequence the text if it is not.
func (m meaning) refusal() string {
	switch {
	case m.slip:
		return "is not a known setting; did you mean " + m.key + "?"
	case m.text == "":
		return "is not a known setting; docs/settings.md lists all of them"
	}
	return "is not a setting of Kafka's producer: " + m.text
}

func (m meaning) consequence() string {
	switch {
	case m.slip:
		return "has no effect, as in Java: it is not a known setting; did you mean " + m.key + "?"
	case m.text == "":
		return "has no effect, as in Java: it is not a setting of Kafka's producer"
	}
	return "has no effect, as in Java: " + m.text
}

// knowStrangers explains each key that is not the producer's.
func (s *Set) knowStrangers() {
	hidden := -1 // the last line whose key looked like a piece of a secret
	for i, e := range s.unknown {
		if i == mostStrangers {
			s.tooManyStrangers(s.unknown[i:])
			return
		}
		m := meaningOf(e.written)
		if m == (meaning{}) && e.value == "" && nests[strings.ToLower(e.written)] {
			m.text = "it is the head of a part of YAML, as it seems: in properties each line has the whole of a key, such as sasl.mechanism=PLAIN"
		}
		if m.read && !s.options.Librdkafka {
			m.text += "; producer.LibrdkafkaNames() reads it"
		}
		goesOn := e.line > 0 && hidden == e.line-1
		if m == (meaning{}) && e.line > 0 && pieceOfSecret(e, goesOn) {
			if hidden = e.line; goesOn {
				continue // one word is enough for all lines of a private key
			}
			m.text = "it is no key that anybody knows, and not shown, since it may be a piece of a secret: a value that goes on in the next line needs a \\ at the very end of its own"
			e = &entry{line: e.line, written: Hidden, over: e.over}
		}
		if m.key != "" && s.entries[m.key] == nil && s.meant[m.key] == nil {
			s.meant[m.key] = e
		}
		if !e.over && !s.options.RefuseUnknown {
			s.tell(Notice{Line: e.line, Key: e.written, Text: m.consequence()})
			continue
		}
		s.complain(Problem{Line: e.line, Key: e.written, Value: Hidden, Rule: m.refusal(), Suggestion: m.key, Unknown: true})
		if s.entries[m.key] == nil {
			s.broken[m.key] = true // one problem is enough where the key is missing under its right name
		}
	}
}

// nests are the keys of YAML below which people have the producer's.
var nests = map[string]bool{"spring": true, "kafka": true, "producer": true, "properties": true, "bootstrap": true, "security": true, "sasl": true, "ssl": true, "jaas": true}

// pieceOfSecret reports whether an unknown key may be a line of a private key, of a login module or of a file of another kind.
// goesOn says that the line before was one.
func pieceOfSecret(e *entry, goesOn bool) bool {
	bare := !strings.Contains(e.written, ".")
	return shownKey(e.written) == Hidden || bare && (goesOn || e.value == "")
}

// mostStrangers bounds how many unknown keys are looked at. Only a file of another kind has more.
const mostStrangers = 300

func (s *Set) tooManyStrangers(more []*entry) {
	text := fmt.Sprintf("it and %d further keys are not settings of Kafka's producer, as %d before: is this a file of properties?", len(more)-1, mostStrangers)
	if s.options.RefuseUnknown || slices.ContainsFunc(more, func(e *entry) bool { return e.over }) {
		s.complain(Problem{Line: more[0].line, Key: more[0].written, Value: Hidden, Rule: text, Unknown: true})
		return
	}
	s.tell(Notice{Line: more[0].line, Key: more[0].written, Text: text})
}

// Instead says which key of the file was probably meant to be this one, which is missing: "; line 3 has … instead", or "".
func (s *Set) Instead(key string) string {
	e := s.meant[key]
	switch {
	case e == nil:
		return ""
	case e.line == 0:
		return fmt.Sprintf("; there is %s instead", shownKey(e.written))
	}
	return fmt.Sprintf("; line %d has %s instead", e.line, shownKey(e.written))
}

// mostOfKey bounds the length of a key that is looked at, in bytes. The longest known keys have a third of that.
const mostOfKey = 300

// meaningOf finds out what a key is: by the tables first, and by its letters only if it is in none of them.
func meaningOf(key string) meaning {
	key = strings.TrimSpace(key)
	if len(key) > mostOfKey {
		return meaning{}
	}
	lower := strings.ToLower(key)
	for _, known := range []func(key, lower string) meaning{section, foreign, constant, prefixed, respelt} {
		if m := known(key, lower); m.text != "" {
			return m
		}
	}
	if near := nearest(lower); near != "" {
		return meaning{key: near, slip: true}
	}
	return meaning{}
}

// section recognises the head of a section, such as [kafka].
func section(key, _ string) meaning {
	if len(key) > 1 && key[0] == '[' && (key[1] >= 'a' && key[1] <= 'z' || key[1] >= 'A' && key[1] <= 'Z') {
		return meaning{text: "it is the head of a section, as other files of settings have: properties have no sections, and all keys count"}
	}
	return meaning{}
}

func foreign(_, lower string) meaning {
	if f, ok := foreignKeys[lower]; ok {
		if f.key == "" {
			return meaning{text: f.note}
		}
		text := fmt.Sprintf("it is %s's name for %s", f.whose, f.key)
		if f.note != "" {
			text += " (" + f.note + ")"
		}
		return meaning{key: f.key, text: text, read: librdkafka[lower].key != "" || f.whose == "librdkafka" && f.key == jaasKey}
	}
	if whose, ok := ownerOf[lower]; ok {
		return meaning{text: whose}
	}
	if rows[lower] != nil {
		return meaning{} // but for its case
	}
	if rule := librdkafka[lower]; rule.key != "" {
		return meaning{key: rule.key, text: "it is librdkafka's name for " + rule.key, read: true}
	}
	if librdkafkaKey(lower) {
		return meaning{text: "it belongs to librdkafka"}
	}
	return meaning{}
}

// respelt recognises a key of the producer's in another case, or with other separators.
func respelt(_, lower string) meaning {
	meant := letters(lower)
	for i := range all {
		if letters(all[i].Key) == meant {
			return meaning{key: all[i].Key, text: "it is another spelling of " + all[i].Key + ": keys are taken to the letter"}
		}
	}
	return meaning{}
}

func letters(key string) string { return separators.Replace(key) }

var separators = strings.NewReplacer(".", "", "_", "", "-", "", " ", "", `"`, "")

// nearest returns the key of the producer's that differs from this one by a slip or two, or that begins with it. It returns ""
// if there is none, or if two keys are equally likely.
func nearest(lower string) string {
	most := 1
	if len(lower) >= 11 {
		most = 2
	}
	best, bestDistance, tied := "", most+1, false
	for i := range all {
		if longer := len(lower) - len(all[i].Key); longer > most || -longer > most {
			continue
		}
		switch d := slips.Between(lower, all[i].Key); {
		case d < bestDistance:
			best, bestDistance, tied = all[i].Key, d, false
		case d == bestDistance:
			tied = true
		}
	}
	if best != "" && !tied && len(lower) >= 3 {
		return best
	}
	return abbreviated(letters(lower))
}

// abbreviated returns the one key of Java's that begins with these letters, and has at most as many more. Where only the unit
// is missing, that is the one.
func abbreviated(start string) string {
	found := ""
	for i := range Java() {
		if full := letters(all[i].Key); len(start) >= 5 && len(full) <= 2*len(start) && strings.HasPrefix(full, start) {
			if unit := full[len(start):]; unit == "ms" || unit == "bytes" {
				return all[i].Key
			}
			if found != "" {
				return ""
			}
			found = all[i].Key
		}
	}
	return found
}
