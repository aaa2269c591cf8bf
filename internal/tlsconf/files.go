package tlsconf

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode"

	"github.com/epistle-kafka/epistle/internal/keystore"
	"github.com/epistle-kafka/epistle/internal/readfile"
	"github.com/epistle-kafka/epistle/internal/shown"
)

// Files says where certificates and keys are. A path is taken as it is; one that is not absolute begins at the working
// directory.
type Files struct {
	// TrustStore has the authorities that brokers are verified with: JKS, PKCS12 or PEM, told by its content. "" = those of the
	// system, or those that the configuration has.
	TrustStore         string
	TrustStorePassword keystore.Password

	// KeyStore has the private keys and certificates to show to brokers, "" = none.
	KeyStore         string
	KeyStorePassword keystore.Password
	KeyPassword      keystore.Password // of the keys in it, or of Key; unset: that of the store

	// Certificate and Key are two PEM files in place of KeyStore. Both are set, or none.
	Certificate, Key string

	// SkipHostName leaves the host name unchecked. The chain of certificates is verified all the same.
	SkipHostName bool
}

// IsZero reports whether nothing is set.
func (f *Files) IsZero() bool {
	return f.TrustStore == "" && f.KeyStore == "" && f.Certificate == "" && f.Key == "" && !f.SkipHostName &&
		!f.TrustStorePassword.IsSet() && !f.KeyStorePassword.IsSet() && !f.KeyPassword.IsSet()
}

// What settings are called in problems and notices: Java's names, and librdkafka's where Java has none.
const (
	keyTrustLocation = "ssl.truststore.location"
	keyTrustPassword = "ssl.truststore.password"
	keyKeysLocation  = "ssl.keystore.location"
	keyKeysPassword  = "ssl.keystore.password"
	keyKeyPassword   = "ssl.key.password"
	keyCertificate   = "ssl.certificate.location"
	keyKey           = "ssl.key.location"
	keyHostName      = "ssl.endpoint.identification.algorithm"
)

// Problem is a setting that cannot be used.
type Problem struct {
	Key  string // Java's name of the setting
	Rule string // what must hold, or what is wrong; it continues the setting's name
}

func (p Problem) Error() string { return p.Key + " " + p.Rule }

// Notice is what somebody should know about a setting that is used.
type Notice struct{ Key, Text string }

// store is one of the two stores, of one file or of two.
type store struct {
	paths                         []string
	location, password, keySecret string // the names of its settings
	label                         string // what it is called, if not by its paths
}

// called returns a store whose content stands in a setting.
func (s store) called(label string) store {
	s.label = label
	return s
}

func (f *Files) trustStore() store {
	s := store{location: keyTrustLocation, password: keyTrustPassword}
	if f.TrustStore != "" {
		s.paths = []string{f.TrustStore}
	}
	return s
}

func (f *Files) keyStore() store {
	s := store{location: keyKeysLocation, password: keyKeysPassword, keySecret: keyKeyPassword}
	switch {
	case f.KeyStore != "":
		s.paths = []string{f.KeyStore}
	case f.Certificate != "":
		s.location, s.paths = keyCertificate, []string{f.Certificate, f.Key}
	}
	return s
}

// check says what cannot go together.
func (f *Files) check() []Problem {
	switch {
	case f.KeyStore != "" && (f.Certificate != "" || f.Key != ""):
		return []Problem{{keyKeysLocation, "is set, and a file for the certificate or the key too: which is meant?"}}
	case f.Certificate != "" && f.Key == "":
		return []Problem{{keyCertificate, "needs the file of the private key too"}}
	case f.Certificate == "" && f.Key != "":
		return []Problem{{keyKey, "needs the file of the certificate too"}}
	case f.TrustStore == "" && f.TrustStorePassword.IsSet():
		return []Problem{{keyTrustPassword, "is set, and no trust store"}}
	case f.KeyStore == "" && f.KeyStorePassword.IsSet():
		return []Problem{{keyKeysPassword, "is set, and no key store"}}
	}
	return nil
}

// name is what a message calls the store.
func (s store) name() string {
	if s.label != "" {
		return s.label
	}
	quoted := make([]string, len(s.paths))
	for i, path := range s.paths {
		quoted[i] = quote(path)
	}
	return strings.Join(quoted, " and ")
}

// file is the file that command lines in an error name. Of a certificate and a key it is the key: a certificate in PEM needs no
// command.
func (s store) file() string {
	if s.label != "" || len(s.paths) == 0 {
		return "FILE"
	}
	return shellWord(s.paths[len(s.paths)-1])
}

// shellWord returns a path as a shell takes it for one word.
func shellWord(path string) string {
	special := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+=:,@%", r)
	}
	switch {
	case path != "" && !strings.ContainsFunc(path, special):
		return path
	case os.PathSeparator == '\\':
		return `"` + path + `"`
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// quote returns a path in quotes, so that blanks at its ends can be seen. Backslashes are not doubled: doubled backslashes are
// often what is wrong.
func quote(path string) string {
	if shown.Value(path) != path {
		return shown.Quoted(path)
	}
	return `"` + path + `"`
}

// problem says which setting an error of the store is about.
func (s store) problem(err error) Problem {
	var wrong *keystore.Error
	if !errors.As(err, &wrong) {
		return Problem{s.location, err.Error()}
	}
	rule := wrong.AboutFile(s.name(), s.file())
	switch wrong.Blame {
	case keystore.StorePassword:
		return Problem{s.password, rule}
	case keystore.KeyPassword:
		return Problem{s.keySecret, rule}
	}
	return Problem{s.location, rule}
}

// content is what the files of a store have at one moment.
type content struct {
	data  []byte
	parts [][]byte // of each file; nil for what stands in a setting
	err   error    // why there is none
}

// read returns what the files have now, one after the other.
func (s store) read() content {
	var all content
	for _, path := range s.paths {
		data, err := readFile(path)
		if err != nil {
			return content{err: err}
		}
		if len(all.data) > 0 {
			all.data = append(all.data, '\n')
		}
		all.data = append(all.data, data...)
		all.parts = append(all.parts, data)
	}
	return all
}

// sum is a digest of a content: equal contents have the same.
func (c content) sum() [sha256.Size]byte {
	if c.err != nil {
		return sha256.Sum256([]byte("error: " + c.err.Error()))
	}
	return sha256.Sum256(c.data)
}

// readFile reads a file that a store may be in. Its error names the path.
func readFile(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a directory, and a file is needed%s", quote(path), oneFileOf(path))
	}
	data, err := readfile.Regular(path, keystore.MaxSize)
	switch {
	case err == nil:
		return data, nil
	case errors.Is(err, readfile.ErrNotRegular):
		return nil, fmt.Errorf("%s %w, so it cannot be read again", quote(path), err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, fmt.Errorf("%s does not exist%s", quote(path), whyNot(path))
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s must not be read by this process: check its owner and mode, and those of the directories above it", quote(path))
	}
	return nil, fmt.Errorf("%s %w", quote(path), err)
}

// oneFileOf says how to put the certificates of a directory into one file; "" if there seem to be none.
func oneFileOf(dir string) string {
	for _, kind := range []string{".pem", ".crt", ".cer"} {
		if found, err := filepath.Glob(filepath.Join(dir, "*"+kind)); err == nil && len(found) > 0 {
			return ": `cat " + shellWord(dir) + "/*" + kind + " >ca.pem` makes one of the certificates in it"
		}
	}
	return ""
}

// whyNot guesses why a path leads nowhere.
func whyNot(path string) string {
	drive := len(path) > 2 && path[1] == ':' && unicode.IsLetter(rune(path[0]))
	switch {
	case strings.HasPrefix(path, `"`) || strings.HasPrefix(path, "'"):
		return ": its quotes are taken for a part of it"
	case drive && !strings.ContainsAny(path, `/\`):
		return `: in properties files each backslash is written twice, or as /`
	case drive && os.PathSeparator == '/':
		return ": it is a path of Windows, and this is another system"
	case strings.ContainsAny(path, "$%") || strings.HasPrefix(path, "~"):
		return ": variables and ~ are not replaced in it"
	case strings.HasPrefix(path, "file:") || strings.HasPrefix(path, "classpath:"):
		return ": give a path in place of a URL"
	case !filepath.IsAbs(path):
		if here, err := os.Getwd(); err == nil {
			return ": it begins at the working directory, " + quote(here)
		}
	}
	return ""
}
