package tlsconf

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/internal/testcert"
)

// told is a log.
type told struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *told) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// count returns how many lines have a text.
func (l *told) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func logged(s *Source) *told {
	l := &told{}
	s.LogTo(slog.New(slog.NewTextHandler(l, nil)))
	return l
}

// showing is whom a connection would show now, and whom it would trust.
func showing(t *testing.T, s *Source) (who string, trusted *tls.Config) {
	t.Helper()
	own := prepared(t, s, "kafka")
	if len(own.Certificates) == 0 {
		return "", own
	}
	return own.Certificates[0].Leaf.Subject.CommonName, own
}

// pairOf is a Source of tls.crt and tls.key.
func pairOf(t *testing.T, dir string) *Source {
	return open(t, Files{Certificate: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")})
}

func put(t *testing.T, dir string, i testcert.Issued) {
	t.Helper()
	write(t, dir, "tls.crt", i.PEM)
	write(t, dir, "tls.key", i.KeyPEM)
}

// New connections use what is in the files; they are looked at once a second at most.
func TestFilesAreLoadedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ca := t.TempDir(), testcert.Authority("ca")
		put(t, dir, testcert.Issue(&ca, "before", nil))
		s := pairOf(t, dir)
		log := logged(s)
		put(t, dir, testcert.Issue(&ca, "after", nil))
		if who, _ := showing(t, s); who != "before" {
			t.Errorf("within the second: got %s, want before", who)
		}
		time.Sleep(lookEvery)
		if who, _ := showing(t, s); who != "after" {
			t.Errorf("a second later: got %s, want after", who)
		}
		if n := log.count("TLS files have changed"); n != 1 {
			t.Errorf("%d lines, want 1:\n%s", n, log.text.String())
		}
		time.Sleep(time.Hour)
		showing(t, s)
		if n := log.count("\n"); n != 1 {
			t.Errorf("nothing has changed since, and there are %d lines", n)
		}
	})
}

// A file may be replaced in any way: written, renamed over, or by a symbolic link to another directory, as Kubernetes does.
func TestWaysToReplaceFiles(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, dir string, next testcert.Issued){
		"written": put,
		"renamed": func(t *testing.T, dir string, next testcert.Issued) {
			for name, text := range map[string]string{"tls.crt": next.PEM, "tls.key": next.KeyPEM} {
				if err := os.Rename(write(t, dir, name+".new", text), filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		},
		"linked": func(t *testing.T, dir string, next testcert.Issued) { link(t, dir, "..2", next) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir, ca := t.TempDir(), testcert.Authority("ca")
				if name == "linked" {
					link(t, dir, "..1", testcert.Issue(&ca, "before", nil))
					for _, name := range []string{"tls.crt", "tls.key"} {
						if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil {
							t.Skip("no symbolic links here:", err)
						}
					}
				} else {
					put(t, dir, testcert.Issue(&ca, "before", nil))
				}
				s := pairOf(t, dir)
				replace(t, dir, testcert.Issue(&ca, "after", nil))
				time.Sleep(lookEvery)
				if who, _ := showing(t, s); who != "after" {
					t.Errorf("got %s, want after", who)
				}
			})
		})
	}
}

// link makes a directory of a secret and points dir/..data at it, at once.
func link(t *testing.T, dir, name string, i testcert.Issued) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, name), i)
	fresh := filepath.Join(dir, "..fresh")
	if err := os.Symlink(name, fresh); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if err := os.Rename(fresh, filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
}

// Files that cannot be used leave in use what was loaded before, and are told of once for each change.
func TestBadFilesKeepTheLastGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ca := t.TempDir(), testcert.Authority("ca")
		good, next := testcert.Issue(&ca, "good", nil), testcert.Issue(&ca, "next", nil)
		put(t, dir, good)
		s := pairOf(t, dir)
		log := logged(s)
		for i, bad := range []func(){
			func() { write(t, dir, "tls.crt", next.PEM) },            // does not match the key
			func() { write(t, dir, "tls.crt", good.PEM[:100]) },      // half written
			func() { write(t, dir, "tls.crt", "") },                  // emptied
			func() { os.Remove(filepath.Join(dir, "tls.crt")) },      // gone
			func() { write(t, dir, "tls.crt", "hello, this is me") }, // something else
		} {
			bad()
			for range 5 {
				time.Sleep(lookEvery)
				if who, _ := showing(t, s); who != "good" {
					t.Errorf("%d: got %s, want good", i, who)
				}
			}
			if n := log.count("cannot be used"); n != i+1 {
				t.Errorf("%d: %d lines, want one for each change:\n%s", i, n, log.text.String())
			}
		}
		put(t, dir, next)
		time.Sleep(lookEvery)
		if who, _ := showing(t, s); who != "next" {
			t.Errorf("mended: got %s, want next", who)
		}
		if strings.Contains(log.text.String(), "PRIVATE") {
			t.Error("the log shows a key")
		}
	})
}

// A certificate and its key are replaced one after the other. Nobody is told of what lasts for a moment only.
func TestFilesAreGivenTimeToSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ca := t.TempDir(), testcert.Authority("ca")
		put(t, dir, testcert.Issue(&ca, "before", nil))
		s := pairOf(t, dir)
		log := logged(s)
		after := testcert.Issue(&ca, "after", nil)
		write(t, dir, "tls.crt", after.PEM)
		time.Sleep(lookEvery)
		go func() {
			time.Sleep(settle / 2)
			write(t, dir, "tls.key", after.KeyPEM)
		}()
		if who, _ := showing(t, s); who != "after" {
			t.Errorf("got %s, want after", who)
		}
		if n := log.count("cannot be used"); n != 0 {
			t.Errorf("%d warnings:\n%s", n, log.text.String())
		}
	})
}

// A key store that is bad for good does not keep a new authority out.
func TestStoresAreLoadedEachByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ca, next := t.TempDir(), testcert.Authority("ca"), testcert.Authority("next")
		key := testcert.Issue(&ca, "client", nil)
		files := Files{TrustStore: write(t, dir, "ca.pem", ca.PEM), KeyStore: write(t, dir, "key.pem", key.KeyPEM+key.PEM)}
		s := open(t, files)
		_, before := showing(t, s)
		write(t, dir, "key.pem", "")
		write(t, dir, "ca.pem", next.PEM)
		time.Sleep(lookEvery)
		who, after := showing(t, s)
		if who != "client" || after.RootCAs.Equal(before.RootCAs) {
			t.Errorf("shown is %s; the authority is the old one: %v", who, after.RootCAs.Equal(before.RootCAs))
		}
	})
}

// A connection waits for a look, but not for ever, and not beyond its own time.
func TestWaitForALookIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ca := t.TempDir(), testcert.Authority("ca")
		put(t, dir, testcert.Issue(&ca, "before", nil))
		s := pairOf(t, dir)
		s.mu.Lock()
		s.looking = make(chan struct{}) // never over
		s.mu.Unlock()
		began := time.Now()
		if who, _ := showing(t, s); who != "before" || time.Since(began) != patience {
			t.Errorf("got %s after %v, want before after %v", who, time.Since(began), patience)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		s.Prepare(ctx, &tls.Config{})
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %v, want 1s", took)
		}
	})
}

// Many connections at once cause one look, and all get what it finds.
func TestOneLookForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ca := t.TempDir(), testcert.Authority("ca")
		put(t, dir, testcert.Issue(&ca, "before", nil))
		s := pairOf(t, dir)
		log := logged(s)
		put(t, dir, testcert.Issue(&ca, "after", nil))
		time.Sleep(lookEvery)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if who, _ := showing(t, s); who != "after" {
					t.Errorf("got %s, want after", who)
				}
			})
		}
		all.Wait()
		if n := log.count("\n"); n != 1 {
			t.Errorf("%d lines, want 1", n)
		}
	})
}
