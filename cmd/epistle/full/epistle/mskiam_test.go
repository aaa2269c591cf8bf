package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/internal/testcert"
)

// An msk is a cluster that asks for TLS and for AWS_MSK_IAM, as Amazon's do, and a file of settings for it.
type msk struct {
	*brokertest.Cluster
	dir string
}

func newMSK(t *testing.T) *msk {
	t.Helper()
	authority := testcert.Authority("authority")
	broker := testcert.Issue(&authority, "broker", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} })
	m := &msk{dir: t.TempDir(), Cluster: brokertest.New(t, brokertest.Topic("orders", 1),
		brokertest.TLS(&tls.Config{Certificates: []tls.Certificate{broker.Pair()}}), brokertest.SASL(brokertest.MSKIAM("eu-west-1", accessKey, secretKey)))}
	m.write(t, "ca.pem", authority.PEM)
	m.write(t, "events.txt", "12.50\n")
	return m
}

func (m *msk) path(name string) string { return filepath.Join(m.dir, name) }

func (m *msk) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(m.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// settings writes the file that a Java client has, with options of the login module.
func (m *msk) settings(t *testing.T, options string) {
	t.Helper()
	m.write(t, "client.properties", strings.Join([]string{
		"bootstrap.servers=" + strings.Join(m.Bootstrap(), ","), "security.protocol=SASL_SSL", "ssl.truststore.type=PEM",
		"ssl.truststore.location=" + filepath.ToSlash(m.path("ca.pem")), "sasl.mechanism=AWS_MSK_IAM",
		"sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required" + options + ";",
		"sasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMClientCallbackHandler", "max.block.ms=1500", "",
	}, "\n"))
}

// produce is `epistle produce --config client.properties -t orders events.txt`.
func (m *msk) produce() (status int, said string) {
	status, said = run("", "produce", "--config", m.path("client.properties"), "-t", "orders", m.path("events.txt"))
	return status, m.stable(said)
}

// stable is what was said, without what differs from run to run.
func (m *msk) stable(said string) string {
	said = strings.NewReplacer(m.dir, "DIR", m.Bootstrap()[0], "broker:9098").Replace(said)
	for pattern, with := range map[string]string{
		`\[[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\]`: "[ID]", `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`: "TIME", `(since: |until )\d\d:\d\d:\d\d`: "${1}TIME",
	} {
		said = regexp.MustCompile(pattern).ReplaceAllString(said, with)
	}
	return said
}

// A record goes to brokers of MSK with the credentials that AWS's tools find.
func TestRecordsGoToMSK(t *testing.T) {
	m := newMSK(t)
	want := 0
	for name, c := range map[string]struct {
		options string
		prepare func(t *testing.T)
	}{
		"the environment": {"", func(*testing.T) {}},
		"a session":       {"", func(t *testing.T) { t.Setenv("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2Vj//+ab c==") }},
		"a profile": {` awsProfileName="orders"`, func(t *testing.T) {
			m.write(t, "config", "[profile orders]\nregion = eu-west-1\naws_access_key_id = "+accessKey+"\naws_secret_access_key = "+secretKey+"\n")
			t.Setenv("AWS_CONFIG_FILE", m.path("config"))
			for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"} {
				t.Setenv(name, "")
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			c.prepare(t)
			m.settings(t, c.options)
			status, said := m.produce()
			if want++; status != 0 || len(m.Records("orders", 0)) != want {
				t.Errorf("exit status %d, %d records, want %d:\n%s", status, len(m.Records("orders", 0)), want, said)
			}
			if strings.Contains(said, secretKey) {
				t.Errorf("the secret is shown:\n%s", said)
			}
		})
	}
}

// Whoever has a mistake with AWS_MSK_IAM is told which, and what to do.
func TestMistakesWithMSK(t *testing.T) {
	m := newMSK(t)
	const (
		server  = "bootstrap server broker:9098: SASL: getting credentials for AWS_MSK_IAM: "
		waited  = `epistle: looking up topic "orders": max.block passed (1.5s); last failure: ` + server + "no credentials of AWS: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, access disabled to EC2 IMDS via client option, or \"AWS_EC2_METADATA_DISABLED\" environment variable "
		nothing = "; nothing was read or sent"
		help    = "\nepistle: `epistle help produce` tells how it works"
	)
	denied := func(region string) string {
		return `epistle: bootstrap server broker:9098: SASL SaslAuthenticate: refused AWS_MSK_IAM: "[ID]: Access denied": SASL_AUTHENTICATION_FAILED (58): the broker does not accept the credentials (signed at TIME for ` + region +
			" with credentials of EnvConfigCredentials: are they right (`aws sts get-caller-identity` says whose they are), do they allow kafka-cluster:Connect on this cluster, is that its region, and is this machine's clock right?)" + nothing
	}
	for _, c := range []struct {
		name    string
		options string
		env     map[string]string
		status  int
		last    string // what is said at the end
	}{
		{name: "no credentials", env: map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, status: 1,
			last: waited + "(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role of the machine or the container can give some; `aws sts get-caller-identity` shows whether they do)" + nothing},
		{name: "half of the credentials", env: map[string]string{"AWS_SECRET_ACCESS_KEY": ""}, status: 1,
			last: waited + "(AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not: both are needed)" + nothing},
		{name: "a wrong secret", env: map[string]string{"AWS_SECRET_ACCESS_KEY": "guess"}, status: 1, last: denied("eu-west-1")},
		{name: "an unknown key", env: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAOTHER"}, status: 1, last: denied("eu-west-1")},
		{name: "another region", env: map[string]string{"AWS_REGION": "us-east-1"}, status: 1, last: denied("us-east-1")},
		{name: "no region", env: map[string]string{"AWS_REGION": ""}, status: 1,
			last: "epistle: " + server + `the region is not known, which the name of a broker of MSK has in it, and "127.0.0.1" has not: set AWS_REGION in the environment, region in the profile, or Region in a program; AWS_EC2_METADATA_DISABLED forbids to ask the machine` + nothing},
		{name: "no such profile", options: ` awsProfileName="orders"`, status: 2,
			last: "epistle: line 6: sasl.jaas.config: cannot be used: mskiam: read AWS's configuration: failed to get shared config profile, orders (`aws configure list-profiles` lists the profiles that there are)" + help},
		{name: "an option that there is none of", options: ` awsProfile="orders"`, status: 2,
			last: "epistle: line 6: sasl.jaas.config: option awsProfile is none of AWS's, which are awsProfileName, awsRoleArn, awsRoleExternalId, awsRoleAccessKeyId, awsRoleSecretAccessKey, awsRoleSessionName, awsRoleSessionToken, awsStsRegion, awsShouldUseFips, awsMaxRetries, awsMaxBackOffTimeMs, awsDebugCreds; did you mean awsProfileName?" + help},
	} {
		t.Run(c.name, func(t *testing.T) {
			alone(t)
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			m.settings(t, c.options)
			status, said := m.produce()
			if status != c.status || !strings.HasSuffix(said, c.last+"\n") {
				t.Errorf("exit status %d, want %d, and at the end\n%s\nIt says\n%s", status, c.status, c.last, said)
			}
			if strings.Contains(said, secretKey) || len(m.Records("orders", 0)) > 0 {
				t.Errorf("the secret is shown, or there is a record:\n%s", said)
			}
		})
	}
}
