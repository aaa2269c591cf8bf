package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// PasswordVariable is the variable of the environment that a password is taken from.
const PasswordVariable = "EPISTLE_PASSWORD"

// mostOfPassword bounds a password that comes by a pipe, in bytes.
const mostOfPassword = 1 << 20

// withPassword are the mechanisms that log in with a user name and a password.
var withPassword = map[string]func(sasl.CredentialFunc) sasl.Mechanism{
	"PLAIN": sasl.PlainFrom, "SCRAM-SHA-256": sasl.ScramSHA256From, "SCRAM-SHA-512": sasl.ScramSHA512From,
}

// login is who is to log in, by --user and --password-file.
type login struct {
	user         string
	passwordFile string
}

func (l *login) add(fs *pflag.FlagSet) {
	fs.StringVar(&l.user, "user", "", "`name`: the user to log in as, by the sasl.mechanism of -X or --config; the password is asked for, unless --password-file or "+PasswordVariable+" has it")
	fs.StringVar(&l.passwordFile, "password-file", "", "`file`: the password of --user, which nobody but you should be able to read")
}

// asked takes the login out of the settings that are given: --user, or librdkafka's sasl.username without a password. A
// placeholder stands for the password. So everything else about the settings is checked before anybody is asked for it, and no
// text of a password is read as a setting.
func (l *login) asked(given map[string]string, file bool) (asked bool, err error) {
	mechanism := given["sasl.mechanism"]
	if mechanism == "" {
		mechanism = given["sasl.mechanisms"]
	}
	_, hasPassword := given["sasl.password"]
	_, hasJAAS := given["sasl.jaas.config"]
	if l.user == "" && !hasPassword && !hasJAAS && (withPassword[mechanism] != nil || l.passwordFile != "") {
		l.user = given["sasl.username"]
	}
	switch {
	case l.user == "" && l.passwordFile != "":
		return false, Usagef("--password-file: whose password is it? Add --user NAME")
	case l.user == "":
		return false, nil
	case hasJAAS:
		return false, Usagef("--user: -X sasl.jaas.config has a user already; leave one of them out")
	case hasPassword:
		return false, Usagef("--user: -X sasl.password gives the password where everybody can read it; leave it out, and use --password-file, %s, or the prompt", PasswordVariable)
	case mechanism == "" && !file:
		return false, Usagef("--user: by which mechanism? Add -X sasl.mechanism=… with one of %s: whoever runs the cluster knows which it has", Phrase(passwordMechanisms()))
	case mechanism != "" && withPassword[mechanism] == nil && slices.Contains(sasl.Registered(), mechanism):
		return false, notByPassword(mechanism)
	}
	given["sasl.username"], given["sasl.password"] = l.user, "not the password"
	return true, nil
}

func notByPassword(mechanism string) error {
	if how := loginBy[mechanism]; how != "" {
		return Usagef("--user: %s does not log in with a user name and a password: %s", mechanism, Phrase(how))
	}
	return Usagef("--user: %s does not log in with a user name and a password; %s do", mechanism, Phrase(passwordMechanisms()))
}

func passwordMechanisms() string { return "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512" }

// mechanism gives the mechanism of the settings the user and the password.
func (l *login) mechanism(ctx context.Context, env *Env, cfg *producer.Config) error {
	if cfg.SASL == nil {
		return Usagef("--user: security.protocol is one without a login; add -X security.protocol=SASL_SSL, or SASL_PLAINTEXT where there is no TLS")
	}
	build := withPassword[cfg.SASL.Name()]
	if build == nil {
		return notByPassword(cfg.SASL.Name())
	}
	source, err := l.credentials(ctx, env)
	if err != nil {
		return err
	}
	cfg.SASL = build(source)
	return nil
}

// credentials returns where the password comes from: the file, which is read again for each connection; or the environment; or
// the user at the terminal.
func (l *login) credentials(ctx context.Context, env *Env) (sasl.CredentialFunc, error) {
	if l.passwordFile != "" {
		return l.ofFile(ctx, env)
	}
	if password, set := os.LookupEnv(PasswordVariable); set {
		if password == "" {
			return nil, Usagef("%s is set, and empty", Phrase(PasswordVariable))
		}
		return always(l.user, password), nil
	}
	if env.AskPassword == nil {
		return nil, Usagef("--user: there is no terminal to ask for the password at; name a file with --password-file, or set %s", Phrase(PasswordVariable))
	}
	password, err := env.AskPassword(ctx, fmt.Sprintf("password of %s: ", word(l.user)))
	switch {
	case err != nil:
		if _, interrupted := errors.AsType[*Interrupted](err); interrupted {
			return nil, Refused("the password", err)
		}
		return nil, Usagef("--user: the password cannot be asked for (%v); name a file with --password-file, or set %s", err, Phrase(PasswordVariable))
	case password == "":
		return nil, Usagef("--user: no password was typed")
	}
	return always(l.user, password), nil
}

func (l *login) ofFile(ctx context.Context, env *Env) (sasl.CredentialFunc, error) {
	info, err := os.Stat(l.passwordFile)
	if err != nil {
		return nil, Usagef("--password-file: %v", err)
	}
	if !info.Mode().IsRegular() { // such as <(pass show kafka), which can be read once
		password, err := Await(ctx, func() (string, error) { return readOnce(l.passwordFile) }, nil)
		if err != nil {
			return nil, Refused("--password-file", err)
		}
		return always(l.user, password), nil
	}
	source := sasl.PasswordFile(l.user, l.passwordFile)
	if _, err := source(ctx); err != nil {
		return nil, Usagef("--password-file: %v", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		env.Say("note: --password-file: others may read %s too; chmod 600 keeps it yours", word(l.passwordFile))
	}
	return source, nil
}

func readOnce(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostOfPassword+1))
	if err != nil {
		return "", err
	}
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	if len(text) == 0 || len(text) > mostOfPassword {
		return "", fmt.Errorf("%s has %d bytes, which is no password", path, len(text))
	}
	return string(text), nil
}

func always(user, password string) sasl.CredentialFunc {
	return func(context.Context) (sasl.Credentials, error) {
		return sasl.Credentials{User: user, Password: sasl.Secret(password)}, nil
	}
}

// exposed lists the secrets among the pairs of -X: everybody on the machine can see them in the list of processes.
func exposed(given map[string]string) (keys []string) {
	for key, value := range given {
		secret := strings.HasSuffix(key, "password") || strings.HasSuffix(key, "secret") || strings.HasSuffix(key, "passphrase") ||
			key == "ssl.keystore.key" || key == "ssl.key.pem" || strings.HasPrefix(key, "sasl.") && strings.HasSuffix(key, ".pem") ||
			key == "sasl.jaas.config" && hasSecret(value)
		if secret && value != "" && !strings.HasPrefix(value, "${") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// option matches the beginning of an option of a login module: its name, and what its value begins with if that stands for
// another value.
var option = regexp.MustCompile(`([\w.-]+)\s*=\s*("?\$\{)?`)

// hasSecret looks for options of a login module that are secrets. The text may be anything, so it is not parsed. storeKey is a
// switch, and no secret.
func hasSecret(jaas string) bool {
	for _, found := range option.FindAllStringSubmatch(jaas, -1) {
		name := strings.ToLower(found[1])
		named := func(end string) bool { return strings.HasSuffix(name, end) }
		if found[2] == "" && name != "storekey" && slices.ContainsFunc([]string{"password", "secret", "passphrase", "key", "token"}, named) {
			return true
		}
	}
	return false
}

// warnOfExposed says once that secrets on the command line are no secrets.
func warnOfExposed(env *Env, keys []string) {
	if len(keys) == 0 {
		return
	}
	instead := "put it into a file for --config"
	if slices.Contains(keys, "sasl.password") || slices.Contains(keys, "sasl.jaas.config") {
		instead = "use --user with --password-file, with " + PasswordVariable + " or with the prompt, or " + instead
	}
	env.Say("note: -X %s: on the command line ps shows it to everybody on this machine, and the shell remembers it; %s", strings.Join(keys, ", "), instead)
}
