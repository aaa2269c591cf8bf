package app

import (
	"os"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
)

// toGetAll is the line that makes the command with all mechanisms, for whoever has built this one out of a clone.
const toGetAll = "go build -C cmd/epistle/full/epistle -o ../../../../bin/"

func TestHelpAndVersionNameTheMechanisms(t *testing.T) {
	for _, command := range []string{"help", "version"} {
		got := epistle(t, 0, "", command).stdout.String()
		for _, want := range []string{"SASL mechanisms: OAUTHBEARER, PLAIN, SCRAM-SHA-256, SCRAM-SHA-512\n", "Not in this build: GSSAPI, AWS_MSK_IAM. ", toGetAll + "\n"} {
			if !strings.Contains(got, want) {
				t.Errorf("epistle %s does not say %q:\n%s", command, want, got)
			}
		}
	}
}

// Whoever asks for a mechanism that this build lacks is told what makes one that has it, and of no import: that is for those
// who write a program.
func TestMechanismsThatThisBuildLacks(t *testing.T) {
	const (
		kerberos = "com.sun.security.auth.module.Krb5LoginModule required useTicketCache=true;"
		iam      = "software.amazon.msk.auth.iam.IAMLoginModule required;"
		oauth    = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
	)
	for name, settings := range map[string][]string{
		"GSSAPI":              {"sasl.mechanism=GSSAPI", "sasl.kerberos.service.name=kafka", "sasl.jaas.config=" + kerberos},
		"Java's default":      {"sasl.kerberos.service.name=kafka", "sasl.jaas.config=" + kerberos},
		"librdkafka's GSSAPI": {"sasl.mechanisms=GSSAPI", "sasl.kerberos.principal=orders@EXAMPLE.TEST"},
		"AWS_MSK_IAM":         {"sasl.mechanism=AWS_MSK_IAM", "sasl.jaas.config=" + iam},
		"tokens of AWS": {"sasl.mechanism=OAUTHBEARER", "sasl.jaas.config=" + oauth,
			"sasl.login.callback.handler.class=software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler"},
	} {
		t.Run(name, func(t *testing.T) {
			settings = append(settings, "security.protocol=SASL_SSL")
			typed := []string{"produce", "-b", "h:1", "-t", "t"}
			for _, setting := range settings {
				typed = append(typed, "-X", setting)
			}
			for _, args := range [][]string{typed, {"produce", "-b", "h:1", "-t", "t", "--config", file(t, strings.Join(settings, "\n"))}} {
				s := epistle(t, 2, "", args...)
				s.wantErr(". An epistle that has all mechanisms is made ", toGetAll+"\n")
				if !strings.HasPrefix(name, "tokens") {
					s.wantErr("not in this program, whose mechanisms are OAUTHBEARER, PLAIN, SCRAM-SHA-256, SCRAM-SHA-512. ")
				}
				if strings.Contains(s.stderr.String(), "import") {
					t.Errorf("epistle %v speaks of an import:\n%s", args, s.stderr.String())
				}
			}
		})
	}
}

// What the pages have for it is what the command says.
func TestPagesHaveTheLineForAllMechanisms(t *testing.T) {
	if !strings.HasSuffix(cli.HowToGetAll(), toGetAll) {
		t.Errorf("the command says %s", cli.HowToGetAll())
	}
	for _, page := range []string{"../../../../README.md", "../../../../docs/connecting.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "    "+toGetAll) {
			t.Errorf("%s lacks %s", page, toGetAll)
		}
	}
}
