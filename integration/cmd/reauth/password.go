package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// passwords is one that is changed at the brokers first, and some time later in the file that the producer reads.
type passwords struct {
	file     string
	lifetime time.Duration                                    // of sessions
	set      func(ctx context.Context, password string) error // at the brokers

	mu   sync.Mutex      // guards the following
	used map[string]bool // by passwords
}

// lags are how late the file is, by turns: sooner than a session ends, so that it may be unnoticed, and so late that each
// connection is refused before.
func (s *passwords) lags() []time.Duration {
	return []time.Duration{s.lifetime * 3 / 10, s.lifetime + 2*time.Second}
}

// newPasswords makes the file with the first password.
func newPasswords(dir, first string, lifetime time.Duration, set func(context.Context, string) error) (*passwords, error) {
	s := &passwords{file: filepath.Join(dir, "password"), lifetime: lifetime, set: set, used: make(map[string]bool)}
	return s, os.WriteFile(s.file, []byte(first+"\n"), 0o600)
}

// credentials are what the file says, for a user.
func (s *passwords) credentials(user string) sasl.CredentialFunc {
	read := sasl.PasswordFile(user, s.file)
	return func(ctx context.Context) (sasl.Credentials, error) {
		c, err := read(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.used[string(c.Password)] = true
		return c, err
	}
}

// rotation replaces the password of those who log in by config.
func (s *passwords) rotation(config producer.Config) *rotation {
	late := s.lags()
	// After it was refused for that long a producer may wait as long again until it tries the next time.
	rest := 2 * late[len(late)-1]
	return &rotation{
		name: "password: at the broker, and later in the file", config: config, takes: late[len(late)-1] + rest, shown: s.shown,
		turn: func(ctx context.Context, n int) error { return s.turn(ctx, n, late[(n-1)%len(late)], rest) },
	}
}

func (s *passwords) turn(ctx context.Context, n int, late, rest time.Duration) error {
	next := passwordOf(n)
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := s.set(bounded, next); err != nil {
		return err
	}
	pause(ctx, late)
	if err := s.write(next, n); err != nil {
		return err
	}
	pause(ctx, rest)
	return nil
}

// write replaces the file by another in odd turns, and writes over it in even ones.
func (s *passwords) write(password string, n int) error {
	if n%2 == 0 {
		return os.WriteFile(s.file, []byte(password+"\n"), 0o600)
	}
	if err := os.WriteFile(s.file+".new", []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(s.file+".new", s.file)
}

// passwordOf is the one that is set in a turn.
func passwordOf(turn int) string { return fmt.Sprintf("password-%d", turn+1) }

func (s *passwords) shown(turns int) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := 1; n <= turns; n++ {
		if !s.used[passwordOf(n)] {
			return "", fmt.Errorf("the password of turn %d was never used", n)
		}
	}
	return fmt.Sprintf("each of %d new passwords was used", turns), nil
}
