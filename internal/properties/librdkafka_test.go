package properties

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
)

// Each of librdkafka's names means what it means there, and a notice says what it was taken for.
func TestLibrdkafkasNames(t *testing.T) {
	for given, want := range map[string]string{
		"metadata.broker.list=a,b:1":                     "bootstrap.servers=a:9092,b:1",
		"queue.buffering.max.ms=5":                       "linger.ms=5",
		"queue.buffering.max.ms=0.5":                     "linger.ms=0",
		"linger.ms=2.5":                                  "linger.ms=2",
		"queue.buffering.max.kbytes=1024":                "buffer.memory=1048576",
		"message.max.bytes=2000000":                      "max.request.size=2000000",
		"message.timeout.ms=0":                           "delivery.timeout.ms=2147483647",
		"message.send.max.retries=3":                     "retries=3",
		"request.required.acks=-1":                       "acks=-1",
		"compression.codec=lz4":                          "compression.type=lz4",
		"socket.send.buffer.bytes=0":                     "send.buffer.bytes=-1",
		"topic.metadata.refresh.interval.ms=1000":        "metadata.max.age.ms=1000",
		"connections.max.idle.ms=0":                      "connections.max.idle.ms=-1",
		"sasl.mechanisms=PLAIN":                          "sasl.mechanism=PLAIN",
		"sasl.oauthbearer.client.id=x":                   "sasl.oauthbearer.client.credentials.client.id=x",
		"sasl.oauthbearer.client.secret=x":               "sasl.oauthbearer.client.credentials.client.secret=x",
		"sasl.oauthbearer.grant.type=client_credentials": "sasl.oauthbearer.jwt.retriever.class=org.apache.kafka.common.security.oauthbearer.ClientCredentialsJwtRetriever",
		"ssl.endpoint.identification.algorithm=none":     "ssl.endpoint.identification.algorithm=",
		"ssl.cipher.suites=ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-SHA:TLS_AES_256_GCM_SHA384": "ssl.cipher.suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,TLS_AES_256_GCM_SHA384",
		"ssl.ca.location=/etc/ca.pem":   "ssl.truststore.location=/etc/ca.pem",
		"ssl.ca.pem=x":                  "ssl.truststore.certificates=x",
		"partitioner=consistent_random": "partitioner.class=consistent_random",
	} {
		s := read(given+"\n", Options{Librdkafka: true})
		notices, problems := said(s)
		written, _, _ := strings.Cut(given, "=")
		key, value, _ := strings.Cut(want, "=")
		if got, _ := s.Value(key); got != value || problems != "" || !strings.HasPrefix(notices, written+": ") {
			t.Errorf("%s: got %s=%q, notices %s, problems %s; want %s, and a notice", given, key, got, notices, problems, want)
		}
	}
	for given, want := range map[string]string{
		"enable.ssl.certificate.verification=false":                "certificates are always verified",
		"ssl.crl.location=/x":                                      "lists of revoked certificates are not read",
		"sasl.oauthbearer.assertion.private.key.pem=x":             "needs a file here",
		"sasl.oauthbearer.metadata.authentication.type=azure_imds": "asks a function of yours for tokens",
		"sasl.username=a":                                          "needs sasl.password with it",
		"sasl.password=hunter2":                                    "needs sasl.username with it",
		"ssl.key.location=/nowhere.pem":                            "needs ssl.certificate.location or ssl.certificate.pem with it",
		"partitioner=mine":                                         "must be random, consistent",
		"queue.buffering.max.kbytes=1MB":                           "must be a whole number",
		"request.required.acks=2":                                  "must be one of all, -1, 0, 1",
	} {
		s := read(given+"\n", Options{Librdkafka: true})
		_, problems := said(s)
		key, _, _ := strings.Cut(given, "=")
		found := false
		for _, p := range s.Problems() {
			found = found || p.Key == key && p.Line == 1 && strings.Contains(p.Rule, want)
		}
		if !found || strings.Contains(problems, "hunter2") {
			t.Errorf("%s: got %s, want a problem of the key as written: %s", given, problems, want)
		}
	}
	for given, want := range map[string]string{
		"statistics.interval.ms=5":                 "Producer.Stats has the numbers",
		"batch.num.messages=5":                     "nothing bounds the number of its records",
		"enable.ssl.certificate.verification=true": "certificates are always verified",
		"ssl.ca.location=probe":                    "the system's roots are used",
		"partitioner=murmur2_random":               "what the producer does anyway",
		"compression.level=5":                      "compression.type has no levels",
	} {
		if notices, problems := said(read(given+"\n", Options{Librdkafka: true})); !strings.Contains(notices, want) || problems != "" {
			t.Errorf("%s: got %s and %s, want a notice: %s", given, notices, problems, want)
		}
	}
}

// A name of librdkafka's that gives way to Java's is told to have no effect, and not what it would be. Nothing else changes by it.
func TestLibrdkafkasNamesThatLose(t *testing.T) {
	s := read("security.protocol=ssl\nssl.ca.location=/ca.pem\nssl.truststore.location=/trust.jks\nssl.truststore.password=x\nqueue.buffering.max.ms=7\nlinger.ms=5\n", Options{Librdkafka: true})
	notices, problems := said(s)
	if problems != "" || strings.Contains(notices, "is taken for") {
		t.Errorf("got %s and %s", notices, problems)
	}
	for _, want := range []string{"ssl.ca.location: has no effect: ssl.truststore.location is set too", "queue.buffering.max.ms: has no effect: linger.ms is set too"} {
		if !strings.Contains(notices, want) {
			t.Errorf("got %s, want %s", notices, want)
		}
	}
	if kind, is := s.Value("ssl.truststore.type"); is {
		t.Errorf("ssl.truststore.type is %q, which nobody has said", kind)
	}
}

func TestLibrdkafkasLogins(t *testing.T) {
	for given, want := range map[string]map[string]string{
		"sasl.username=KEY\nsasl.password=SEC;RET\"":                                {"": "org.apache.kafka.common.security.plain.PlainLoginModule", "username": "KEY", "password": `SEC;RET"`},
		"sasl.username=KEY\nsasl.password=SECRET\nsasl.jaas.config=M required a=b;": {"": "M", "a": "b"},
	} {
		s := read("security.protocol=sasl_ssl\nsasl.mechanisms=STUB\n"+given+"\n", Options{Librdkafka: true})
		notices, problems := said(s)
		if problems != "" || !strings.Contains(notices, "sasl.password: ") || strings.Contains(notices, "SEC") {
			t.Fatalf("%s: got %s and %s", given, notices, problems)
		}
		got := s.Mechanism().(stub)
		options := texts(got.Login.Options)
		options[""] = got.Login.Module
		if !maps.Equal(options, want) {
			t.Errorf("%s: got %q, want %q", given, options, want)
		}
	}
}

// Kerberos and OAuth have keys of their own there, which are options of a login module here.
func TestLibrdkafkasOtherLogins(t *testing.T) {
	for given, want := range map[string]map[string]string{
		"sasl.mechanisms=GSSAPI\nsasl.kerberos.keytab=/k\nsasl.kerberos.principal=p@R": {"": "Krb5LoginModule", "useKeyTab": "true", "storeKey": "true", "keyTab": "/k", "principal": "p@R"},
		"sasl.mechanisms=GSSAPI\nsasl.kerberos.principal=p@R":                          {"": "Krb5LoginModule", "useTicketCache": "true", "principal": "p@R"},
		"sasl.mechanisms=SCRAM-SHA-512\nsasl.username=u\nsasl.password=p":              {"": "ScramLoginModule", "username": "u", "password": "p"},
		"sasl.mechanisms=OAUTHBEARER\nsasl.oauthbearer.method=oidc\nsasl.oauthbearer.extensions=logicalCluster=lkc-1, pool=p-1\nhttps.ca.location=/ca.pem": {
			"": "OAuthBearerLoginModule", "extension_logicalCluster": "lkc-1", "extension_pool": "p-1", "ssl.truststore.location": "/ca.pem", "ssl.truststore.type": "PEM"},
		"sasl.mechanisms=OAUTHBEARER\nsasl.oauthbearer.config=principal=me lifeSeconds=60 scope=a,b extension_x=y": {
			"": "OAuthBearerLoginModule", "unsecuredLoginStringClaim_sub": "me", "unsecuredLoginLifetimeSeconds": "60", "unsecuredLoginListClaim_scope": ",a,b", "unsecuredLoginExtension_x": "y"},
	} {
		s := read(given+"\n", Options{Librdkafka: true})
		if _, problems := said(s); problems != "" || s.login == nil {
			t.Errorf("%s: got login %v, problems %s", given, s.login, problems)
			continue
		}
		options := texts(s.login.Options)
		options[""] = simpleName(s.login.Module)
		if !maps.Equal(options, want) {
			t.Errorf("%s: got %q, want %q", given, options, want)
		}
	}
	s := read("sasl.mechanisms=GSSAPI\nsasl.kerberos.keytab=/k\nsasl.kerberos.principal=p@R\n", Options{Librdkafka: true})
	if v, _ := s.Value("sasl.kerberos.service.name"); v != "kafka" {
		t.Errorf("sasl.kerberos.service.name: got %q, want librdkafka's default", v)
	}
	s = read("sasl.mechanisms=OAUTHBEARER\nsasl.oauthbearer.config=principal=me hunter2\n", Options{Librdkafka: true})
	if _, problems := said(s); !strings.Contains(problems, "the 2. is not") || strings.Contains(problems, "hunter2") {
		t.Errorf("got %s, want the second pair refused and not shown", problems)
	}
}

// Files of key and certificate become Java's inline PEM.
func TestLibrdkafkasCertificates(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeFile(t, filepath.Join(dir, "c.pem"), "CERT\n"), writeFile(t, filepath.Join(dir, "k.pem"), "KEY-hunter2\n")
	s := read("security.protocol=ssl\nssl.certificate.location="+cert+"\nssl.key.location="+key+"\nssl.key.password=x\n", Options{Librdkafka: true})
	for key, want := range map[string]string{"ssl.keystore.certificate.chain": "CERT", "ssl.keystore.key": "KEY-hunter2", "ssl.keystore.type": "PEM", "ssl.key.password": "x"} {
		if got, _ := s.Value(key); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	s.Problem("ssl.keystore.key", "is broken")
	if notices, problems := said(s); problems != "ssl.key.location = [hidden]: is broken\n" || strings.Contains(notices, "hunter2") {
		t.Errorf("got %s and %s, want the problem where the file is named", notices, problems)
	}
	s = read("ssl.ca.location="+filepath.ToSlash(dir)+"\nssl.certificate.location=/nowhere/c.pem\nssl.key.location="+key+"\n", Options{Librdkafka: true})
	if _, problems := said(s); !strings.Contains(problems, "is a directory: put the certificates into one file") || !strings.Contains(problems, "ssl.certificate.location = /nowhere/c.pem: names a file that cannot be read") {
		t.Errorf("got %s", problems)
	}
}

// Files in DER cannot be in properties, nor be read by librdkafka: how PEM is made of them is said, and nothing of what they
// hold.
func TestLibrdkafkasCertificatesInDER(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeFile(t, filepath.Join(dir, "c.der"), "0\x82hunter2"), writeFile(t, filepath.Join(dir, "k.der"), "0\x82hunter2")
	s := read("security.protocol=ssl\nssl.certificate.location="+cert+"\nssl.key.location="+key+"\n", Options{Librdkafka: true})
	_, problems := said(s)
	for _, want := range []string{"`openssl x509 -inform DER -in " + cert + " -out certificate.pem`", "`openssl pkey -inform DER -in " + key + " -out key.pem`"} {
		if !strings.Contains(problems, want) {
			t.Errorf("got %s, want %s", problems, want)
		}
	}
	if strings.Contains(problems, "hunter2") {
		t.Errorf("shows what is in a file: %s", problems)
	}
}

// Of two names for one thing, the command line's wins, and then Java's; the other one is told.
func TestTwoNamesForOneThing(t *testing.T) {
	s := read("queue.buffering.max.ms=5\nlinger.ms=7\n", Options{Librdkafka: true})
	if notices, _ := said(s); s.effective("linger.ms") != "7" || !strings.Contains(notices, "queue.buffering.max.ms: has no effect: linger.ms is set too") {
		t.Errorf("got %s, notices %s, want Java's 7", s.effective("linger.ms"), notices)
	}
	s = read("ssl.truststore.type=PEM\nssl.ca.location=/x\n", Options{Librdkafka: true})
	if notices, _ := said(s); strings.Contains(notices, "is set too") {
		t.Errorf("got %s, want nothing of a type that goes with a file", notices)
	}
	s = read("linger.ms=7\n", Options{Librdkafka: true, Over: map[string]string{"queue.buffering.max.ms": "5"}})
	if s.effective("linger.ms") != "5" {
		t.Errorf("got %s, want the command line's 5", s.effective("linger.ms"))
	}
}
