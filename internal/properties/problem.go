package properties

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/internal/shown"
)

// Hidden stands for a value that may be a secret, and for a key that may be a piece of one.
const Hidden = "[hidden]"

// Notice is a consequence of a property that its writer may not expect. Its texts can be shown: they are bounded, one line
// each, and without secrets.
type Notice struct {
	Line int
	Key  string
	Text string
}

// Problem is one property that cannot be taken. Its texts can be shown, as those of a Notice.
type Problem struct {
	Line       int    // where it starts, from 1; 0 if it is not from a file
	Key        string // as written, or Hidden
	Value      string // as written, or Hidden
	Rule       string // what is wrong and what to do
	Suggestion string // the key that was probably meant, for one that is not known; else ""
	Unknown    bool   // the key is none of the producer's
}

// mostTold bounds the notices, and the problems. Only a file that is no properties file has more.
const mostTold = 1000

// tell adds a notice. All notices come through here, so that none shows a secret.
func (s *Set) tell(n Notice) {
	n.Key, n.Text = shownKey(n.Key), shown.Text(n.Text)
	switch {
	case len(s.notices) < mostTold:
		s.notices = append(s.notices, n)
	case s.untold == 0:
		s.lastNotice = n
		fallthrough
	default:
		s.untold++
	}
}

// complain adds a problem. All problems come through here, as notices come through tell.
func (s *Set) complain(p Problem) {
	s.wrong++
	p.Key, p.Rule = shownKey(p.Key), shown.Text(p.Rule)
	if p.Value != Hidden {
		p.Value = shown.Text(p.Value)
	}
	if len(s.problems) < mostTold {
		s.problems = append(s.problems, p)
	}
}

// A doubt is a notice about a value that may be meant as it is. If the value turns out to be wrong, the problem says why.
type doubt struct{ key, text string }

func (s *Set) doubt(key, text string) { s.doubts = append(s.doubts, doubt{key, text}) }

// Notices returns the notices, by line. Of very many it returns the first ones, and how many more there are.
func (s *Set) Notices() []Notice {
	for _, d := range s.doubts {
		s.Notice(d.key, d.text)
	}
	s.doubts = nil
	if s.untold > 0 {
		n := s.lastNotice
		n.Text = fmt.Sprintf("here %d notices are left out, after %d others: is this a file of properties?", s.untold, mostTold)
		s.notices, s.untold = append(s.notices, n), 0
	}
	slices.SortStableFunc(s.notices, func(a, b Notice) int { return cmp.Compare(a.Line, b.Line) })
	return s.notices
}

// Problems returns all problems, by line, or the first of very many.
func (s *Set) Problems() []Problem {
	slices.SortStableFunc(s.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return s.problems
}

// Notice adds a notice about a key, under the name and with the line that the file has for it. A key that has a problem needs
// no notice beside it.
func (s *Set) Notice(key, text string) {
	if s.broken[key] {
		return
	}
	line, written := s.place(key)
	s.tell(Notice{Line: line, Key: written, Text: s.withoutProvided(key, text)})
}

// Problem adds a problem of a key that has a row, and its value as it is, or Java's default, unless that may be a secret.
func (s *Set) Problem(key, rule string) {
	value := Hidden
	if e, isSet := s.entries[key]; isSet {
		value = shown.Value(e.value)
	} else if row := rows[key]; row != nil {
		value = row.Default
	}
	s.Refuse(key, value, rule)
}

// Refuse is Problem with a value that the caller has in a better form.
func (s *Set) Refuse(key, value, rule string) {
	switch e := s.entries[key]; {
	case e != nil && e.hidden || secret(key):
		value = Hidden
	case strings.HasSuffix(key, ".url") && value != NotSet:
		value = shown.URL(value)
	}
	line, written := s.place(key)
	s.complain(Problem{Line: line, Key: written, Value: value, Rule: s.withoutProvided(key, rule)})
	s.broken[key] = true
}

// withoutProvided removes from a text what a config provider has brought: it may be another secret than it was meant to be.
func (s *Set) withoutProvided(key, text string) string {
	e := s.entries[key]
	if e == nil || !e.hidden {
		return text
	}
	for _, brought := range append([]string{e.value}, e.brought...) {
		if len(brought) < 3 { // which says nothing, and is a part of many words
			continue
		}
		quoted := shown.Quoted(brought)
		text = strings.NewReplacer(`"`+brought+`"`, Hidden, quoted, Hidden).Replace(text)
		if key != jaasKey { // of whose options nothing is shown but in quotes
			text = strings.NewReplacer(brought, Hidden, strings.Trim(quoted, `"`), Hidden).Replace(text)
		}
	}
	return text
}

// Broken says whether a key has a problem already.
func (s *Set) Broken(key string) bool { return s.broken[key] }

// place returns the line in which a key is set, and how it is written there: it may be another client's name.
func (s *Set) place(key string) (line int, written string) {
	if e, ok := s.entries[key]; ok {
		return e.line, e.written
	}
	if key == jaasKey && s.madeOf != nil {
		return s.madeOf.line, s.madeOf.written
	}
	return 0, key
}

// shownKey returns a key as it may be shown. An unknown key may be a piece of a secret, such as a line of a private key or of a
// login module, if the line before it does not end in a backslash. A key that looks like that is hidden.
func shownKey(key string) string {
	if rows[strings.Trim(key, `"'`)] != nil { // in JSON and its like
		return key
	}
	if strings.ContainsAny(key, `"'`) || strings.Contains(key, "-----") || encoded(key) {
		return Hidden
	}
	return shown.Name(key)
}

// encoded reports whether a key may be Base64, as a line of PEM or a token is.
func encoded(key string) bool {
	const longest = 40 // letters and digits in a row; a line of PEM has 64
	word, most := 0, 0
	for _, r := range key {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("+/=", r):
			word++
			most = max(most, word)
		case strings.ContainsRune("._-", r):
			word = 0
		default:
			return false
		}
	}
	return most > longest
}
