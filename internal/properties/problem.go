package properties

import (
	"cmp"
	"slices"
)

// Hidden stands for a value that may be a secret.
const Hidden = "[hidden]"

// Notice is a consequence of a property that its writer may not expect.
type Notice struct {
	Line int
	Key  string
	Text string
}

// Problem is one property that cannot be taken.
type Problem struct {
	Line       int    // where it starts, from 1; 0 if it is not from a file
	Key        string // as written
	Value      string // as written, or Hidden
	Rule       string // what is wrong and what to do
	Suggestion string // the key that was probably meant, for one that is not known; else ""
	Unknown    bool   // the key is none of the producer's
}

// Notices returns all notices, by line.
func (s *Set) Notices() []Notice {
	slices.SortStableFunc(s.notices, func(a, b Notice) int { return cmp.Compare(a.Line, b.Line) })
	return s.notices
}

// Problems returns all problems, by line.
func (s *Set) Problems() []Problem {
	slices.SortStableFunc(s.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return s.problems
}

// Notice adds a notice about a key, under the name and with the line that the file has for it.
func (s *Set) Notice(key, text string) {
	line, written := s.place(key)
	s.notices = append(s.notices, Notice{Line: line, Key: written, Text: text})
}

// Problem adds a problem of a key that has a row, and its value as it is, or Java's default, unless that may be a secret.
func (s *Set) Problem(key, rule string) {
	value := Hidden
	if e, isSet := s.entries[key]; isSet && !e.hidden && !secret(key) {
		value = e.value
	} else if row := rows[key]; !isSet && row != nil && !secret(key) {
		value = row.Default
	}
	s.refuse(key, value, rule)
}

// Refuse is Problem with a value that the caller has in a better form.
func (s *Set) Refuse(key, value, rule string) {
	if e := s.entries[key]; e != nil && e.hidden || secret(key) {
		value = Hidden
	}
	s.refuse(key, value, rule)
}

func (s *Set) refuse(key, value, rule string) {
	line, written := s.place(key)
	s.problems = append(s.problems, Problem{Line: line, Key: written, Value: value, Rule: rule})
	s.broken[key] = true
}

// Broken says whether a key has a problem already.
func (s *Set) Broken(key string) bool { return s.broken[key] }

// place returns where a key is set and as what: another client's name may stand for it.
func (s *Set) place(key string) (line int, written string) {
	if e, ok := s.entries[key]; ok {
		return e.line, e.written
	}
	if key == jaasKey && s.madeOf != nil {
		return s.madeOf.line, s.madeOf.written
	}
	return 0, key
}
