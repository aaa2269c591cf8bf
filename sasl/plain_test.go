package sasl

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// begin starts an exchange that has to begin.
func begin(t *testing.T, m Mechanism) Exchange {
	t.Helper()
	e, err := m.Begin(t.Context(), Target{Host: "broker.example", Port: 9092})
	if err != nil {
		t.Fatalf("%s: Begin: %v", m.Name(), err)
	}
	return e
}

// next takes a step that has to go well.
func next(t *testing.T, e Exchange, challenge string) (response string, done bool) {
	t.Helper()
	b, done, err := e.Next(t.Context(), []byte(challenge))
	if err != nil {
		t.Fatalf("Next(%q): %v", challenge, err)
	}
	return string(b), done
}

// has demands that a text, most often of an error, has all of these in it.
func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("has no %q: %s", part, text)
		}
	}
}

func TestPlainSendsUserAndPassword(t *testing.T) {
	e := begin(t, Plain("alice", "secret"))
	if got, done := next(t, e, ""); hex.EncodeToString([]byte(got)) != "00616c69636500736563726574" || done {
		t.Errorf("sent %q, done %v", got, done)
	}
	if _, done := next(t, e, ""); !done {
		t.Error("an empty answer lets the client in, and it is not done")
	}
	e = begin(t, Plain("alice", "secret"))
	next(t, e, "")
	if _, _, err := e.Next(t.Context(), []byte("more")); err == nil {
		t.Error("an answer that is not empty is taken")
	}
}

// What no broker takes is refused before one is asked, and for good.
func TestCredentialsThatNoBrokerTakes(t *testing.T) {
	for _, c := range []struct {
		m    Mechanism
		says string
	}{
		{Plain("", "secret"), "no user name"},
		{Plain("alice", ""), `user "alice" has no password`},
		{Plain("al\x00ice", "secret"), "NUL"},
		{Plain("alice", "sec\x00ret"), "NUL"},
		{Plain("alice", "sec\xffret"), "UTF-8"},
		{PlainFrom(DelegationToken("id", "secret")), "SCRAM alone"},
		{PlainFrom(nil), "no source of credentials"},
		{ScramSHA256("", "secret"), "no user name"},
		{ScramSHA512("J\u00f6rg", "secret"), "not ASCII"},
		{ScramSHA512("alice", "sec\x00ret"), "NUL"},
	} {
		_, err := c.m.Begin(t.Context(), Target{})
		if err == nil || !IsFinal(err) {
			t.Errorf("%s, %s: not refused for good: %v", c.m.Name(), c.says, err)
			continue
		}
		has(t, err.Error(), c.says)
		if strings.Contains(err.Error(), "sec") {
			t.Errorf("shows the password: %v", err)
		}
	}
}

func TestPasswordsMayBeAnyText(t *testing.T) {
	e := begin(t, Plain("J\u00f6rg", "p\u00e4ss, =w\u2168rd"))
	if got, _ := next(t, e, ""); got != "\x00J\u00f6rg\x00p\u00e4ss, =w\u2168rd" {
		t.Errorf("sent %q", got)
	}
}

// The function is asked each time, so a password that was changed serves the next connection. What it fails with may pass.
func TestPlainFromAsksEachTime(t *testing.T) {
	password, fails := "first", error(nil)
	m := PlainFrom(func(context.Context) (Credentials, error) {
		return Credentials{User: "alice", Password: Secret(password)}, fails
	})
	first, _ := next(t, begin(t, m), "")
	password = "second"
	second, _ := next(t, begin(t, m), "")
	if first != "\x00alice\x00first" || second != "\x00alice\x00second" {
		t.Errorf("sent %q, then %q", first, second)
	}
	fails = errors.New("the vault is sealed")
	_, err := m.Begin(t.Context(), Target{})
	if !errors.Is(err, fails) || IsFinal(err) {
		t.Errorf("Begin: %v, final %v", err, IsFinal(err))
	}
}

func TestPlainExplains(t *testing.T) {
	const words = "Authentication failed: Invalid username or password"
	for _, c := range []struct {
		user, host, words string
		says              string
	}{
		{"alice", "broker", words, `the password of "alice" is wrong, or the broker has no such user for PLAIN`},
		{"$ConnectionString", "ns.servicebus.windows.net", words, "whole connection string"},
		{"ABCDEF", "pkc-1.eu.aws.confluent.cloud", words, `"ABCDEF" has to be an API key of this very cluster`},
		{"bob", "broker", "Cannot change principals during re-authentication from User.alice: User.bob", "a session cannot change its user"},
		{"alice", "broker", "", `those of "alice"`},
	} {
		e, err := Plain(c.user, "hunter2").Begin(t.Context(), Target{Host: c.host})
		if err != nil {
			t.Fatal(err)
		}
		hint := e.(Explainer).Explain(c.words)
		has(t, hint, c.says)
		if strings.Contains(hint, "hunter2") {
			t.Errorf("shows the password: %s", hint)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A mounted secret is a file with the password alone, and often with a line end that is no part of it.
func TestPasswordFileIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	m := PlainFrom(PasswordFile("alice", path))
	_, err := m.Begin(t.Context(), Target{})
	if !errors.Is(err, os.ErrNotExist) || IsFinal(err) {
		t.Errorf("no file: %v", err)
	}
	has(t, err.Error(), path)
	for text, want := range map[string]string{
		"secret": "secret", "secret\n": "secret", "secret\r\n": "secret", " sec ret \n": " sec ret ", "secret\n\n": "secret\n", "\ufeffsecret": "secret",
	} {
		write(t, path, text)
		if got, _ := next(t, begin(t, m), ""); got != "\x00alice\x00"+want {
			t.Errorf("a file with %q: sent %q", text, got)
		}
	}
	write(t, path, "\n") // as when somebody is writing it
	if _, err := m.Begin(t.Context(), Target{}); err == nil || IsFinal(err) {
		t.Errorf("an empty file: %v", err)
	}
}

func TestCredentialsFileIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	m := ScramSHA512From(CredentialsFile(path))
	for _, c := range []struct{ text, user, password string }{
		{"username=alice\npassword=secret\n", "alice", "secret"},
		{"# rotated\r\n\r\n password = se=cr#et \r\n username = bob", "bob", "se=cr#et"},
	} {
		write(t, path, c.text)
		e := begin(t, m).(*scramExchange)
		if e.user != c.user || e.password() != c.password {
			t.Errorf("%q: user %q, password %q", c.text, e.user, e.password())
		}
	}
	for text, says := range map[string]string{
		"":                              "needs a line",
		"username=alice\n":              "needs a line",
		"username=alice\npassword=\n":   "needs a line",
		"username=alice\nsecret\n":      "line 2",
		"user=alice\npassword=secret\n": "line 1",
		"username=a\nusername=b\npassword=secret": "line 2",
		"alice:secret": "line 1",
	} {
		write(t, path, text)
		_, err := m.Begin(t.Context(), Target{})
		if err == nil || IsFinal(err) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		has(t, err.Error(), path, says)
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("shows the password: %v", err)
		}
	}
}

// A file that is something else must not be taken into memory, nor waited for.
func TestFilesAreBounded(t *testing.T) {
	dir := t.TempDir()
	huge := filepath.Join(dir, "huge")
	write(t, huge, strings.Repeat("x", mostOfFile+1))
	for path, says := range map[string]string{huge: "more than", dir: "is a directory"} {
		if _, err := PasswordFile("alice", path)(t.Context()); err == nil {
			t.Errorf("%s is taken", path)
		} else {
			has(t, err.Error(), says, path)
		}
	}
}
