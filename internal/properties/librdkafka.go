package properties

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/epistle-kafka/epistle/internal/readfile"
	"github.com/epistle-kafka/epistle/internal/shown"
)

// translation says what one of librdkafka's names becomes.
type translation struct {
	key  string                                       // Java's
	turn func(value string) (turned, problem string)  // into Java's value; nil: it is the same
	why  string                                       // without a key: why it is left out
	no   func(value string) (problem string, ok bool) // without a key: refuses values that must not be ignored
}

// librdkafka has the names that are not Java's, or whose values are not.
var librdkafka = map[string]translation{
	"metadata.broker.list":               {key: "bootstrap.servers", turn: withPorts},
	"queue.buffering.max.ms":             {key: "linger.ms", turn: wholeMillis},
	"linger.ms":                          {key: "linger.ms", turn: wholeMillis},
	"queue.buffering.max.kbytes":         {key: "buffer.memory", turn: times(1024)},
	"queue.buffering.max.messages":       {why: "buffer.memory bounds what waits, in bytes, and nothing bounds the number of records"},
	"batch.num.messages":                 {why: "batch.size bounds a batch, in bytes, and nothing bounds the number of its records"},
	"message.max.bytes":                  {key: "max.request.size"},
	"message.timeout.ms":                 {key: "delivery.timeout.ms", turn: zeroIs(strconv.Itoa(math.MaxInt32))},
	"message.send.max.retries":           {key: "retries"},
	"request.required.acks":              {key: "acks"},
	"compression.codec":                  {key: "compression.type"},
	"max.in.flight":                      {key: "max.in.flight.requests.per.connection"},
	"sticky.partitioning.linger.ms":      {why: "a partition is kept for a batch of batch.size, not for a time"},
	"socket.timeout.ms":                  {key: "request.timeout.ms"},
	"socket.send.buffer.bytes":           {key: "send.buffer.bytes", turn: zeroIs("-1")},
	"socket.receive.buffer.bytes":        {key: "receive.buffer.bytes", turn: zeroIs("-1")},
	"topic.metadata.refresh.interval.ms": {key: "metadata.max.age.ms", turn: notNegative},
	"connections.max.idle.ms":            {key: "connections.max.idle.ms", turn: zeroIs("-1")},
	"statistics.interval.ms":             {why: "Producer.Stats has the numbers at any time"},
	"debug":                              {why: "Config.Logger is told of what happens"},
	"log.connection.close":               {why: "idle closes are logged at debug level"},
	"socket.keepalive.enable":            {why: "Go keeps connections alive unless Config.DialContext does not"},
	"broker.version.fallback":            {why: "versions are negotiated with each broker"},
	"api.version.request":                {why: "versions are negotiated with each broker"},
	"enable.gapless.guarantee":           {why: "with idempotence a partition's records stay in order, and what fails is reported"},

	"sasl.mechanisms":                               {key: "sasl.mechanism"},
	"sasl.oauthbearer.client.id":                    {key: "sasl.oauthbearer.client.credentials.client.id"},
	"sasl.oauthbearer.client.secret":                {key: "sasl.oauthbearer.client.credentials.client.secret"},
	"sasl.oauthbearer.grant.type":                   {key: "sasl.oauthbearer.jwt.retriever.class", turn: retriever},
	"sasl.oauthbearer.assertion.jwt.template.file":  {key: "sasl.oauthbearer.assertion.template.file"},
	"sasl.oauthbearer.assertion.private.key.pem":    {no: always("needs a file here: write the key into one, and name it with sasl.oauthbearer.assertion.private.key.file")},
	"sasl.oauthbearer.metadata.authentication.type": {no: unless("none", "is not here: set Config.SASL to a mechanism of package sasl that asks a function of yours for tokens")},
	"enable.sasl.oauthbearer.unsecure.jwt":          {why: "sasl.oauthbearer.config alone decides"},
	"sasl.kerberos.kinit.cmd":                       {why: "no kinit is run"},

	"ssl.endpoint.identification.algorithm": {key: "ssl.endpoint.identification.algorithm", turn: noneIsEmpty},
	"enable.ssl.certificate.verification":   {why: "certificates are always verified", no: unless("true", "cannot be: certificates are always verified. Name their authority with ssl.ca.location; where only the host name is wrong, set ssl.endpoint.identification.algorithm=none; or set Config.TLS")},
	"ssl.cipher.suites":                     {key: "ssl.cipher.suites", turn: cipherSuites},
	"ssl.curves.list":                       {why: "Go chooses the curves"},
	"ssl.sigalgs.list":                      {why: "Go chooses the signature algorithms"},
	"ssl.ca.certificate.stores":             {why: "the system's roots are used where no authority is named"},
	"ssl.crl.location":                      {no: always("is not here: lists of revoked certificates are not read; set Config.TLS with a VerifyConnection that does")},
	"ssl.engine.location":                   {no: always("is not here: set Config.TLS, whose certificates may have a crypto.Signer for a key")},
	"ssl.engine.id":                         {why: "it belongs to ssl.engine.location"},
	"ssl.providers":                         {why: "TLS is Go's own"},
}

// The kinds of translations.

func times(factor int64) func(string) (string, string) {
	return func(v string) (string, string) {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil {
			return "", "must be a whole number"
		}
		return strconv.FormatInt(n*factor, 10), ""
	}
}

func zeroIs(otherwise string) func(string) (string, string) {
	return func(v string) (string, string) {
		if v == "0" {
			return otherwise, ""
		}
		return v, ""
	}
}

func notNegative(v string) (string, string) {
	if v == "-1" {
		return rows["metadata.max.age.ms"].Default, ""
	}
	return v, ""
}

// wholeMillis cuts off the fraction that librdkafka allows.
func wholeMillis(v string) (string, string) {
	whole, fraction, cut := strings.Cut(v, ".")
	if _, err := strconv.ParseUint(fraction, 10, 64); cut && err == nil {
		return whole, ""
	}
	return v, ""
}

func noneIsEmpty(v string) (string, string) {
	if strings.EqualFold(v, "none") {
		return "", ""
	}
	return v, ""
}

func withPorts(v string) (string, string) {
	servers := List(v)
	for i, server := range servers {
		if !strings.Contains(server, ":") {
			servers[i] = server + ":9092"
		}
	}
	return strings.Join(servers, ","), ""
}

func retriever(v string) (string, string) {
	const in = "org.apache.kafka.common.security.oauthbearer."
	switch v {
	case "client_credentials":
		return in + "ClientCredentialsJwtRetriever", ""
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		return in + "JwtBearerJwtRetriever", ""
	}
	const exchange, bearer = "client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"
	return "", "must be " + exchange + " or " + bearer + didYouMean(nameMeant(v, []string{exchange, bearer}))
}

// cipherSuites turns OpenSSL's names into those of Java and Go.
func cipherSuites(v string) (string, string) {
	if strings.Contains(v, ",") || strings.Contains(v, "TLS_") && !strings.Contains(v, ":") {
		return v, ""
	}
	var names []string
	for name := range strings.SplitSeq(v, ":") {
		kx, cipher, ok := strings.Cut(name, "-RSA-")
		if ok {
			kx += "_RSA"
		} else if kx, cipher, ok = strings.Cut(name, "-ECDSA-"); ok {
			kx += "_ECDSA"
		}
		if !ok || kx != "ECDHE_RSA" && kx != "ECDHE_ECDSA" {
			names = append(names, name)
			continue
		}
		switch cipher {
		case "CHACHA20-POLY1305":
			cipher = "CHACHA20_POLY1305_SHA256"
		case "AES128-SHA", "AES128-SHA256", "AES256-SHA":
			cipher = strings.Replace(strings.Replace(cipher, "-", "_CBC_", 1), "AES", "AES_", 1)
		default:
			cipher = strings.ReplaceAll(strings.Replace(cipher, "AES", "AES_", 1), "-", "_")
		}
		names = append(names, "TLS_"+kx+"_WITH_"+cipher)
	}
	return strings.Join(names, ","), ""
}

func always(problem string) func(string) (string, bool) {
	return func(string) (string, bool) { return problem, false }
}

func unless(value, problem string) func(string) (string, bool) {
	return func(v string) (string, bool) { return problem, strings.EqualFold(v, value) }
}

// translate replaces librdkafka's keys by Java's.
func (s *Set) translate(written []*entry) []*entry {
	t := &translator{set: s, held: map[string]*entry{}}
	for _, e := range written {
		t.one(e)
	}
	t.compressionLevel()
	t.stores()
	t.credentials()
	return t.out
}

// translator collects translated properties, and keeps those that mean something only together with others.
type translator struct {
	set  *Set
	out  []*entry
	held map[string]*entry
}

// together are the names that mean something only with others.
var together = []string{
	"compression.level", "partitioner", "sasl.username", "sasl.password", "sasl.kerberos.principal", "sasl.kerberos.keytab",
	"sasl.oauthbearer.method", "sasl.oauthbearer.config", "sasl.oauthbearer.extensions", "https.ca.location", "https.ca.pem",
	"ssl.ca.location", "ssl.ca.pem", "ssl.certificate.location", "ssl.certificate.pem", "ssl.key.location", "ssl.key.pem",
}

// librdkafkaKey reports whether a key is one of librdkafka's that has another name here.
func librdkafkaKey(key string) bool {
	_, known := librdkafka[key]
	for _, k := range together {
		known = known || k == key
	}
	return known
}

func (t *translator) one(e *entry) {
	rule, known := librdkafka[e.key]
	switch {
	case !known && librdkafkaKey(e.key):
		t.held[e.key] = e
	case !known:
		t.out = append(t.out, e)
	case rule.key == "":
		if rule.no != nil {
			if problem, ok := rule.no(e.value); !ok {
				t.refuse(e, problem)
				return
			}
		}
		if rule.why != "" {
			t.note(e, "is librdkafka's, and has no effect: "+rule.why)
		}
	default:
		value, problem := e.value, ""
		if rule.turn != nil {
			value, problem = rule.turn(e.value)
		}
		if problem != "" {
			t.refuse(e, problem)
			return
		}
		t.put(e, rule.key, value)
	}
}

// put files a value under Java's key, with the place of the property that it came from.
func (t *translator) put(e *entry, key, value string) {
	taken := ""
	if key != e.key {
		taken = "is librdkafka's name, and is taken for " + key
		if t.set.broken[e.key] {
			t.set.broken[key] = true
		}
	} else if value != e.value && !e.hidden {
		taken = fmt.Sprintf("has a value of librdkafka's, and is taken for %q", value)
	}
	t.out = append(t.out, &entry{line: e.line, key: key, written: e.written, value: value, over: e.over, hidden: e.hidden, brought: e.brought, dangles: e.dangles, taken: taken})
}

// imply adds a value that goes with a property, unless the file sets it.
func (t *translator) imply(e *entry, key, value string) {
	t.out = append(t.out, &entry{line: e.line, key: key, written: e.written, value: value, over: e.over, implied: true})
}

func (t *translator) note(e *entry, text string) {
	t.set.tell(Notice{Line: e.line, Key: e.written, Text: text})
}

func (t *translator) refuse(e *entry, rule string) {
	value := shown.Value(e.value)
	if e.hidden || strings.HasSuffix(e.key, "pem") || strings.HasSuffix(e.key, "password") || strings.HasSuffix(e.key, "secret") || strings.HasSuffix(e.key, "config") {
		value = Hidden
	}
	t.set.complain(Problem{Line: e.line, Key: e.written, Value: value, Rule: rule})
}

// value returns what the properties say so far under Java's key, or "".
func (t *translator) value(key string) (value string) {
	for _, e := range t.out {
		if e.key == key {
			value = e.value
		}
	}
	return value
}

// compressionLevel is one key for all codecs in librdkafka; -1 is the codec's default.
func (t *translator) compressionLevel() {
	if e := t.held["compression.level"]; e != nil {
		codec := t.value("compression.type")
		if row := rows["compression."+codec+".level"]; row != nil && e.value != "-1" {
			t.put(e, row.Key, e.value)
		} else if e.value != "-1" {
			t.note(e, "has no effect: compression.type has no levels")
		}
	}
	if e := t.held["partitioner"]; e != nil {
		switch e.value {
		case "murmur2_random":
			t.note(e, "is librdkafka's name for what the producer does anyway, as Java's")
		case "random", "consistent", "consistent_random", "murmur2", "fnv1a", "fnv1a_random":
			t.put(e, "partitioner.class", e.value)
		default:
			t.refuse(e, "must be random, consistent, consistent_random, murmur2, murmur2_random, fnv1a or fnv1a_random"+
				didYouMean(nameMeant(e.value, strings.Fields("random consistent consistent_random murmur2 murmur2_random fnv1a fnv1a_random"))))
		}
	}
}

// stores turns PEM files into Java's inline PEM, which has a key for the private key and one for the certificates.
func (t *translator) stores() {
	if e := t.held["ssl.ca.location"]; e != nil {
		if info, err := os.Stat(e.value); err == nil && info.IsDir() {
			t.refuse(e, "is a directory: put the certificates into one file, cat "+shown.Name(e.value)+"/*.pem >ca.pem, and name that")
		} else if e.value == "probe" {
			t.note(e, "has no effect: the system's roots are used where no authority is named")
		} else {
			t.put(e, "ssl.truststore.location", e.value) // whose content says what it is
		}
	}
	if e := t.held["ssl.ca.pem"]; e != nil {
		t.put(e, "ssl.truststore.certificates", e.value)
		t.imply(e, "ssl.truststore.type", "PEM")
	}
	chain, key := t.pem("certificate"), t.pem("key")
	switch {
	case chain != nil && key != nil:
		t.put(chain, "ssl.keystore.certificate.chain", chain.value)
		t.put(key, "ssl.keystore.key", key.value)
		t.imply(key, "ssl.keystore.type", "PEM")
	case chain != nil:
		t.refuse(chain, "needs ssl.key.location or ssl.key.pem with it")
	case key != nil:
		t.refuse(key, "needs ssl.certificate.location or ssl.certificate.pem with it")
	}
}

// pem returns a copy of what gives a certificate or a key, with the PEM text for a value.
func (t *translator) pem(what string) *entry {
	if e := t.held["ssl."+what+".pem"]; e != nil {
		return e
	}
	e := t.held["ssl."+what+".location"]
	if e == nil {
		return nil
	}
	loaded := *e
	loaded.hidden = true
	data, err := readfile.Regular(e.value, MaxSize)
	if err != nil {
		t.refuse(e, "names a file that "+err.Error())
		t.set.broken["ssl.keystore.key"], t.set.broken["ssl.keystore.certificate.chain"] = true, true
	}
	if len(data) > 1 && data[0] == 0x30 && data[1] >= 0x80 { // no text begins so
		command := map[string]string{"certificate": "x509", "key": "pkey"}[what]
		t.refuse(e, "must be PEM, and is in DER: make PEM of it with `openssl "+command+" -inform DER -in "+e.value+" -out "+what+".pem`")
		t.set.broken["ssl.keystore.key"], t.set.broken["ssl.keystore.certificate.chain"] = true, true
	}
	loaded.value = strings.TrimSpace(string(data))
	return &loaded
}
