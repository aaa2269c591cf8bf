package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// guarded are brokers that let alice in alone, and the arguments that send a line to them, but for who it is.
func guarded(t *testing.T, mechanism brokertest.SASLMechanism) (c *brokertest.Cluster, args []string) {
	t.Helper()
	c, bootstrap := brokers(t, brokertest.Topic("orders", 1), brokertest.SASL(mechanism))
	return c, []string{"produce", "-b", bootstrap, "-t", "orders", "-X", "security.protocol=SASL_PLAINTEXT"}
}

// atTerminal runs the program where somebody answers when it asks for a password.
func atTerminal(t *testing.T, answer func(ctx context.Context, prompt string) (string, error), args ...string) *session {
	t.Helper()
	s := &session{t: t, interrupts: make(chan os.Signal, 4), status: make(chan int, 1)}
	env := &cli.Env{Stdin: strings.NewReader("12.50\n"), Stdout: &s.stdout, Screen: ui.NewScreen(&s.stderr, false, nil),
		Interrupts: s.interrupts, AskPassword: answer}
	go func() { s.status <- Run(env, args) }()
	return s
}

// isIn checks that a session has sent its line, and has shown its password to nobody.
func (s *session) isIn(c *brokertest.Cluster) {
	s.t.Helper()
	if got := s.wait(); got != 0 || count(c, "orders") != 1 {
		s.t.Errorf("exit status %d, and %d records; want one; standard error:\n%s", got, count(c, "orders"), s.stderr.String())
	}
	if out := s.stderr.String() + s.stdout.String(); strings.Contains(out, "pencil") {
		s.t.Errorf("the password is shown:\n%s", out)
	}
}

func TestLoginByAFileOfThePassword(t *testing.T) {
	for name, mechanism := range map[string]brokertest.SASLMechanism{
		"PLAIN": brokertest.Plain("alice", "pencil"), "SCRAM-SHA-256": brokertest.SCRAM256("alice", "pencil"), "SCRAM-SHA-512": brokertest.SCRAM512("alice", "pencil"),
	} {
		c, args := guarded(t, mechanism)
		s := start(t, strings.NewReader("12.50\n"), append(args, "-X", "sasl.mechanism="+name, "--user", "alice", "--password-file", file(t, "pencil\n"))...)
		s.isIn(c)
		if got := s.stderr.String(); strings.Contains(got, "others may read") {
			t.Errorf("%s: a file that nobody else can read is no such file:\n%s", name, got)
		}
	}
}

// The demo looks at the logs by itself, and logs in for that as its producer does. A wrong password is told.
func TestDemoLogsIn(t *testing.T) {
	c, b := brokers(t, brokertest.SASL(brokertest.SCRAM256("alice", "pencil")))
	args := []string{"demo", "-b", b, "-t", "shop", "-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=SCRAM-SHA-256", "--user", "alice", "--password-file"}
	out := epistle(t, 0, "", append(args, file(t, "pencil\n"))...).stdout.String()
	if !strings.Contains(out, "Created topic shop") || !strings.Contains(out, "ok      count: the logs have grown by 4,000 records") || count(c, "shop") != 4000 {
		t.Errorf("%d records; the demo says:\n%s", count(c, "shop"), out)
	}
	epistle(t, 1, "", append(args, file(t, "crayon\n"))...).wantErr("SASL_AUTHENTICATION_FAILED")
}

func TestAFileOfThePasswordThatOthersMayRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has other permissions")
	}
	c, args := guarded(t, brokertest.Plain("alice", "pencil"))
	open := file(t, "pencil\n")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	s := start(t, strings.NewReader("12.50\n"), append(args, "-X", "sasl.mechanism=PLAIN", "--user", "alice", "--password-file", open)...)
	s.isIn(c)
	s.wantErr("others may read", "chmod 600")
}

func TestLoginByTheEnvironment(t *testing.T) {
	t.Setenv(cli.PasswordVariable, "pencil")
	c, args := guarded(t, brokertest.SCRAM512("alice", "pencil"))
	start(t, strings.NewReader("12.50\n"), append(args, "-X", "sasl.mechanism=SCRAM-SHA-512", "--user", "alice")...).isIn(c)
}

// Who has a user in the manner of kcat, and no password, is asked for it, too.
func TestLoginByThePrompt(t *testing.T) {
	for _, user := range []string{"--user=alice", "-Xsasl.username=alice", "--username=alice"} {
		c, args := guarded(t, brokertest.SCRAM256("alice", "pencil"))
		asked := ""
		s := atTerminal(t, func(_ context.Context, prompt string) (string, error) {
			asked += prompt
			return "pencil", nil
		}, append(args, "-Xsasl.mechanisms=SCRAM-SHA-256", user)...)
		s.isIn(c)
		if want := "password of alice: "; asked != want {
			t.Errorf("%s: asked for %q, want %q, once", user, asked, want)
		}
	}
}

// The mechanism may be the file's, and the user of the command line wins over the file's.
func TestLoginWithAFileOfSettings(t *testing.T) {
	c, args := guarded(t, brokertest.Plain("alice", "pencil"))
	settings := file(t, "sasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=bob password=\"other\";\n")
	s := start(t, strings.NewReader("12.50\n"), append(args, "--config", settings, "--user", "alice", "--password-file", file(t, "pencil"))...)
	s.isIn(c)
	if got := s.stderr.String(); strings.Contains(got, "sasl.username") {
		t.Errorf("a note speaks of what nobody has typed:\n%s", got)
	}
}

func TestInterruptAtThePrompt(t *testing.T) {
	c, args := guarded(t, brokertest.Plain("alice", "pencil"))
	asked := make(chan struct{})
	s := atTerminal(t, func(ctx context.Context, _ string) (string, error) {
		close(asked)
		<-ctx.Done()
		return "", context.Cause(ctx)
	}, append(args, "-X", "sasl.mechanism=PLAIN", "--user", "alice")...)
	<-asked
	s.interrupt()
	if got := s.wait(); got != 130 || count(c, "orders") != 0 {
		t.Errorf("exit status %d, want 130, and %d records", got, count(c, "orders"))
	}
	s.wantErr("the password: stopped by signal: interrupt; nothing was read or sent")
}

// A mistake is told before anybody is asked for a password, and a password that is wrong is no setting of another name.
func TestLoginsThatCannotBe(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"no mechanism":      {[]string{"--user", "alice"}, []string{"sasl.mechanism=", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"}},
		"no user at all":    {nil, []string{"sasl.mechanism: is not set, and Java's default is GSSAPI: set it, such as PLAIN", "name the user with --user"}},
		"no user of PLAIN":  {[]string{"-X", "sasl.mechanism=PLAIN"}, []string{"sasl.jaas.config: is not set, and SASL needs it: name the user with --user"}},
		"no OAUTHBEARER":    {[]string{"-X", "sasl.mechanism=OAUTHBEARER"}, []string{"sasl.jaas.config: is not set, and SASL needs it. A file that"}},
		"no password in it": {[]string{"--user", "alice", "-X", "sasl.mechanism=OAUTHBEARER"}, []string{"OAUTHBEARER does not log in with a user name"}},
		"not there":         {[]string{"--user", "alice", "-X", "sasl.mechanism=SCRAM"}, []string{"did you mean SCRAM-SHA-512"}},
		"no user":           {[]string{"--password-file", none}, []string{"Add --user NAME"}},
		"no file":           {[]string{"--user", "alice", "-X", "sasl.mechanism=PLAIN", "--password-file", none}, []string{"--password-file: ", none}},
		"twice":             {[]string{"--user", "alice", "-X", "sasl.mechanism=PLAIN", "-X", "sasl.jaas.config=x"}, []string{"sasl.jaas.config has a user already"}},
		"no login":          {[]string{"--user", "alice", "-X", "sasl.mechanism=PLAIN", "-X", "security.protocol=SSL"}, []string{"SASL_SSL"}},
		"another mistake":   {[]string{"--user", "alice", "-X", "sasl.mechanism=PLAIN", "-X", "acks=7"}, []string{"acks"}},
		"rpk's":             {[]string{"--user", "alice", "--sasl-mechanism", "PLAIN", "--password", "pencil"}, []string{"--password-file"}},
		"an empty file":     {[]string{"--user", "alice", "-X", "sasl.mechanism=PLAIN", "--password-file", file(t, "\n")}, []string{"--password-file: "}},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"produce", "-b", "h:1", "-t", "orders", "-X", "security.protocol=SASL_SSL"}, test.args...)
			s := atTerminal(t, func(context.Context, string) (string, error) {
				t.Error("the password is asked for all the same")
				return "", errors.New("no")
			}, args...)
			if got := s.wait(); got != 2 {
				t.Errorf("exit status %d, want 2", got)
			}
			s.wantErr(test.want...)
			if strings.Contains(s.stderr.String(), "pencil") {
				t.Errorf("the password is shown:\n%s", s.stderr.String())
			}
		})
	}
}

func TestNobodyToAskForAPassword(t *testing.T) {
	s := start(t, strings.NewReader(""), "produce", "-b", "h:1", "-t", "t", "-X", "security.protocol=SASL_SSL", "-X", "sasl.mechanism=PLAIN", "--user", "alice")
	if got := s.wait(); got != 2 {
		t.Errorf("exit status %d, want 2", got)
	}
	s.wantErr("there is no terminal", "--password-file", cli.PasswordVariable)
}

// kcat's way works, and a password on the command line is told to be one that everybody can read, once.
func TestAPasswordOnTheCommandLine(t *testing.T) {
	c, args := guarded(t, brokertest.Plain("alice", "pencil"))
	s := start(t, strings.NewReader("12.50\n"), append(args, "-X", "sasl.mechanisms=PLAIN", "-X", "sasl.username=alice", "-X", "sasl.password=pencil")...)
	s.isIn(c)
	s.wantErr("note: -X sasl.password: on the command line ps shows it", "sasl.mechanisms: is librdkafka's name, and is taken for sasl.mechanism")
	for _, once := range []string{"ps shows it", "sasl.mechanisms: "} {
		if n := strings.Count(s.stderr.String(), once); n != 1 {
			t.Errorf("%q is said %d times, want once:\n%s", once, n, s.stderr.String())
		}
	}
}
