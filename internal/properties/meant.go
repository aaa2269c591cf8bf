package properties

import (
	"math"
	"strings"

	"github.com/epistle-kafka/epistle/internal/slips"
	"github.com/epistle-kafka/epistle/sasl"
)

// didYouMean is the end of a rule, for a value in whose place another was probably meant; "" if none was.
func didYouMean(meant string) string {
	if meant == "" {
		return ""
	}
	return "; did you mean " + meant + "?"
}

// meant says which of a row's values was probably meant, or "".
func (s *Setting) meant(v string) string {
	if s.Key == "security.protocol" {
		return protocolMeant(v)
	}
	if s.Key == "compression.type" && strings.EqualFold(v, "zstandard") {
		return "zstd"
	}
	names, _ := s.names()
	return nameMeant(v, names)
}

// nameMeant returns the one of names that a value probably means: the same letters and digits, one that begins like it, or one
// that differs by a slip or two. It returns "" if there is none, or if two are equally likely. A name of one or two letters is
// like too many others.
func nameMeant(v string, names []string) string {
	if v = plainName(v); len(v) < 2 || len(v) > mostOfKey {
		return ""
	}
	found, least, tied := "", math.MaxInt, false
	for _, name := range names {
		plain := plainName(name)
		if len(plain) < 3 {
			continue
		}
		most := 1
		if len(plain) >= 8 {
			most = 2
		}
		distance := slips.Between(v, plain)
		if distance > most && (strings.HasPrefix(plain, v) || strings.HasPrefix(v, plain)) {
			distance = most + 1 // whatever else is near is nearer
		} else if distance > most {
			continue
		}
		if tied = distance == least; distance < least {
			found, least = name, distance
		}
	}
	if tied {
		return ""
	}
	return found
}

func plainName(name string) string {
	name, _, _ = strings.Cut(name, "#")
	return decoration.Replace(strings.ToUpper(name))
}

var decoration = strings.NewReplacer(".", "", "-", "", "_", "", " ", "", "\t", "", "+", "", `"`, "", "'", "")

// protocolMeant says which security.protocol was probably meant, or "".
func protocolMeant(v string) string {
	switch plainName(v) {
	case "PLAINTEXTSASL", "SASL":
		return "SASL_PLAINTEXT"
	case "SSLSASL", "SASLTLS", "TLSSASL":
		return "SASL_SSL"
	case "TLS", "MTLS":
		return "SSL"
	case "PLAIN", "NONE", "TEXT":
		return "PLAINTEXT"
	}
	names, _ := rows["security.protocol"].names()
	return nameMeant(v, names)
}

// mechanismMeant says which mechanism was probably meant, or "".
func mechanismMeant(name string) string {
	switch plainName(name) {
	case "KERBEROS", "KRB5":
		return "GSSAPI"
	case "OAUTH", "OAUTH2", "OAUTHBEARERTOKEN":
		return "OAUTHBEARER"
	case "SCRAM":
		return "SCRAM-SHA-512"
	case "SHA256", "SHA512":
		return "SCRAM-SHA-" + plainName(name)[len("SHA"):]
	case "SCRAMSHA1":
		return "" // another mechanism, which no broker of Kafka's has
	case "MSKIAM", "AWSIAM", "IAM":
		return "AWS_MSK_IAM"
	}
	var names []string
	for _, k := range knownMechanisms {
		names = append(names, k.name)
	}
	for _, own := range sasl.Registered() {
		if known(own) == nil {
			names = append(names, own)
		}
	}
	return nameMeant(name, names)
}
