package app

import (
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
)

// A flag that is given again with another value is told of, in every command, and by the name that was typed. A flag that says the
// same as before, and one that may be repeated, are not.
func TestAFlagThatIsGivenTwice(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("t", 1))
	const twice = "is given more than once; the last value counts"
	for _, test := range []struct {
		line string
		want string // "" for no note
	}{
		{"produce -b B -t t -k a -k b", "note: -k/--key: " + twice + "\n"},
		{"produce -b B -t t -k a --key=b -k c", "note: -k/--key: " + twice + "\n"},
		{"produce -b 127.0.0.1:1 -b B -t t", "note: -b/--bootstrap: " + twice + ", and may have several: host:port,host:port\n"},
		{"produce -b B -t t --separator : --separator ;", "note: --separator (here -K/--key-delimiter): " + twice + "\n"},
		{"produce -b B -t t -X topic.acks=all -X acks=-1", "note: acks: " + twice + "\n"},
		{"produce -b B -t t --property parse.key=false --property parse.key=true --property ignore.error=true", "note: parse.key: " + twice + "\n"},
		{"produce -b B -t t -z lz4 -z lz4 -H a=1 -H a=2 -X linger.ms=0 -X linger.ms=0 -Z -Z", ""},
		{"produce -b B -t t -Z --null=false", "note: -Z/--null: " + twice + "\n"},
		{"perf -b B -t t -n 5 -n 6 --linger 5ms --linger 6ms", "note: -n/--records: " + twice + "\nepistle: note: --linger: " + twice + "\n"},
		{"demo --partitions 2 --partitions 3", "note: --partitions: " + twice + "\n"},
		{"doctor -b B -t t -t t2 --timeout 20s --timeout 30s", "note: --timeout: " + twice + "\n"},
		{"produce -b B -t t -z lz4 -X compression.type=gzip", "note: compression.type: has no effect, since -z is given\n"},
		{"produce -b B -t t --compression-codec gzip -z lz4", "note: compression.type: has no effect, since -z is given\n"},
		{"produce -b B -t t -z lz4 -X compression.type=lz4", ""},
		{"perf -b B -t t -n 1 --in-flight 1 -X max.in.flight.requests.per.connection=2", "note: max.in.flight.requests.per.connection: has no effect, since --in-flight is given\n"},
		{"perf -b B -t t -n 1 --transactional-id a -X transactional.id=b", "note: transactional.id: has no effect, since --transactional-id is given\n"},
	} {
		t.Run(test.line, func(t *testing.T) {
			s := start(t, strings.NewReader("x\n"), strings.Fields(strings.ReplaceAll(test.line, " B ", " "+b+" "))...)
			s.wait()
			if got := s.stderr.String(); strings.Count(got, "note: ") != strings.Count(test.want, "note: ") || !strings.Contains(got, test.want) {
				t.Errorf("it says\n%s, want %q", got, test.want)
			}
		})
	}
}

// A user that --user names wins over one of -X, which is told.
func TestAUserThatGivesWay(t *testing.T) {
	t.Setenv("EPISTLE_PASSWORD", "secret")
	_, b := brokers(t, brokertest.Topic("t", 1), brokertest.SASL(brokertest.SCRAM512("alice", "secret")))
	login := []string{"produce", "-b", b, "-t", "t", "-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=SCRAM-SHA-512", "--user", "alice"}
	epistle(t, 0, "x\n", append(login, "-X", "sasl.username=bob")...).wantErr("note: sasl.username: has no effect, since --user is given\n")
}

// Payloads without the delimiter that they were to have are sent, and told of.
func TestPayloadsWithoutTheDelimiter(t *testing.T) {
	for _, test := range []struct {
		payloads string
		args     []string
		want     []string // no other note
	}{
		{"a:1\nb:2\n", []string{"-K", ":"}, nil},
		{"a;1\nb;2\n", []string{"-K", ":"}, []string{`note: payloads without the key delimiter ":", and so without a key: 2 of 2 (first: payload 1)`}},
		{"a:1\nb;2\nc:3\n", []string{"-K", ":"}, []string{`note: payloads without the key delimiter ":", and so without a key: 1 of 3 (first: payload 2)`}},
		{"h:1|a;1\nb:2\n", []string{"-K", ":", "--header-delimiter", "|"}, []string{
			`note: payloads without the header delimiter "|", and so without headers: 1 of 2 (first: payload 2)`,
			`note: payloads without the key delimiter ":", and so without a key: 1 of 2 (first: payload 1)`,
		}},
	} {
		_, b := brokers(t, brokertest.Topic("t", 1))
		s := epistle(t, 0, "", append([]string{"perf", "-b", b, "-t", "t", "-n", "4", "--payload-file", file(t, test.payloads)}, test.args...)...)
		s.wantErr(test.want...)
		if got := s.stderr.String(); strings.Count(got, "note: ") != len(test.want) {
			t.Errorf("%q with %q says\n%s", test.payloads, test.args, got)
		}
	}
	epistle(t, 2, "", "perf", "-b", "h:1", "-t", "t", "--payload-file", file(t, "a\n"), "-K", "").wantErr("-K: the delimiter is empty")
}

// Words that a command does not take are an error that says where they belong, and nothing is done.
func TestWordsThatACommandDoesNotTake(t *testing.T) {
	for line, want := range map[string]string{
		"version --json":     "version takes no flags and no arguments: --json",
		"version now":        "version takes no flags and no arguments: now",
		"help perf doctor":   "help takes the name of one command, and then nothing: doctor",
		"demo -n 5":          "-n: the demo sends the file that it brings along, as it is; `epistle perf`",
		"demo -K : file.txt": "-K: the demo sends the file that it brings along, as it is; `epistle produce`",
	} {
		if s := epistle(t, 2, "", strings.Fields(line)...); !strings.Contains(s.stderr.String(), want) || s.stdout.String() != "" {
			t.Errorf("epistle %s says\n%s%s, want %q", line, s.stdout.String(), s.stderr.String(), want)
		}
	}
	for _, name := range []string{"version", "completion", "help"} {
		want := epistle(t, 0, "", "help", name).stdout.String()
		for _, ask := range []string{"--help", "-h"} {
			if got := epistle(t, 0, "", name, ask).stdout.String(); got != want {
				t.Errorf("epistle %s %s prints\n%s", name, ask, got)
			}
		}
	}
}

// Settings that some commands have a flag for can be set in all of them by it, and by what other tools call it.
func TestFlagsOfOtherCommandsThatAreSettings(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("t", 1))
	for _, flag := range []string{"-z", "--compression", "--compression-type", "--codec", "--compression-codec"} {
		for _, command := range []string{"demo", "doctor -b B -t t", "produce -b B -t t", "perf -b B -t t -n 1"} {
			epistle(t, 0, "x\n", append(strings.Fields(strings.ReplaceAll(command, " B ", " "+b+" ")), flag, "lz4")...)
			epistle(t, 2, "x\n", append(strings.Fields(strings.ReplaceAll(command, " B ", " "+b+" ")), flag, "lz5")...).wantErr("lz5")
		}
	}
	epistle(t, 2, "", "demo", "--transactional-id", "x").wantErr("the demo sends no transactions")
}
