package sasl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Credentials are what a user logs in with. They may get further fields.
type Credentials struct {
	User     string
	Password Secret

	// DelegationToken says that User is the id of a delegation token, and Password its HMAC in base64 (KIP-48). SCRAM alone can
	// log in with one.
	DelegationToken bool
}

// A CredentialFunc returns the credentials. It is asked at each authentication, also when a session is renewed, so they may
// change while the producer runs. It may be called concurrently, and has to return when ctx ends. After an error the producer
// tries again with the next connection, unless [Final] marks the error.
//
// A session cannot change its user. If the credentials have another user, they serve new connections only.
type CredentialFunc func(ctx context.Context) (Credentials, error)

// DelegationToken returns the credentials of a delegation token (KIP-48): its id, and its HMAC in base64, as
// kafka-delegation-tokens.sh prints it. It is for [ScramSHA256From] and [ScramSHA512From].
func DelegationToken(id, hmac string) CredentialFunc {
	return fixed(Credentials{User: id, Password: Secret(hmac), DelegationToken: true})
}

func fixed(c Credentials) CredentialFunc {
	return func(context.Context) (Credentials, error) { return c, nil }
}

// PasswordFile reads the password from a file at each authentication. So a mounted Kubernetes or Docker secret can be replaced
// while the producer runs. The whole file is the password, except for one line end at its end.
func PasswordFile(user, path string) CredentialFunc {
	return func(context.Context) (Credentials, error) {
		file := file{"password file", path}
		text, err := file.read()
		if err != nil {
			return Credentials{}, err
		}
		password := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
		if password == "" {
			return Credentials{}, fmt.Errorf("%v holds no password", file)
		}
		return Credentials{User: user, Password: Secret(password)}, nil
	}
}

// CredentialsFile reads user and password from a file at each authentication, so both can be replaced while the producer runs.
// The file has a line `username=…` and a line `password=…`. The value is the rest of the line without the spaces at its ends;
// no character has a special meaning. Empty lines, and those that begin with #, are skipped.
func CredentialsFile(path string) CredentialFunc {
	return func(context.Context) (Credentials, error) {
		file := file{"credentials file", path}
		text, err := file.read()
		if err != nil {
			return Credentials{}, err
		}
		c, err := parseCredentials(text)
		if err != nil {
			return Credentials{}, fmt.Errorf("%v %w", file, err)
		}
		return c, nil
	}
}

// parseCredentials returns errors that continue after the name of the file. They never show what a line holds.
func parseCredentials(text []byte) (Credentials, error) {
	var c Credentials
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, value, found := strings.Cut(string(line), "=")
		value = strings.TrimSpace(value)
		switch key = strings.TrimSpace(key); {
		case found && key == "username" && c.User == "":
			c.User = value
		case found && key == "password" && c.Password == "":
			c.Password = Secret(value)
		default:
			return Credentials{}, fmt.Errorf("has a line %d that is neither the one `username=…` nor the one `password=…`", number)
		}
	}
	if c.User == "" || c.Password == "" {
		return Credentials{}, errors.New("needs a line `username=…` and a line `password=…`, both with a value")
	}
	return c, nil
}

// check refuses what no broker takes.
func (c Credentials) check(mechanism string) error {
	why := ""
	switch {
	case c.User == "":
		why = "there is no user name"
	case c.Password == "":
		why = fmt.Sprintf("user %s has no password", Quoted(c.User))
	case strings.ContainsRune(c.User, 0), strings.ContainsRune(string(c.Password), 0):
		why = "a user name or password cannot hold a NUL character"
	case !utf8.ValidString(c.User), !utf8.ValidString(string(c.Password)):
		why = "the user name or the password is not valid UTF-8"
	case mechanism == plainName && c.DelegationToken:
		why = "a delegation token logs in with SCRAM alone"
	case mechanism != plainName && strings.ContainsFunc(c.User, func(r rune) bool { return r > unicode.MaxASCII }):
		why = fmt.Sprintf("the user name %s is not ASCII, and brokers can read no other names in SCRAM, though Kafka lets them be created", Quoted(c.User))
	default:
		return nil
	}
	return Final(errors.New(why + "; no broker was asked"))
}

// sealed holds a secret in a type that cannot be printed, also in fields that are not exported, of which package fmt calls no
// methods. All types with secrets hold them so, in functions. Pointers would not do: package fmt follows them if the verb is
// wrong for them, such as %s.
type sealed func() string

func seal(secret string) sealed { return func() string { return secret } }
