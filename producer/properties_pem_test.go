package producer

import (
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/internal/testcert"
)

// Whatever stands where PEM belongs, it is read or refused, and what is refused is not shown: it may be half a key. What is
// taken has what it was given for: certificates to trust, and a key with its own.
func FuzzPEM(f *testing.F) {
	issued := testcert.Authority("fuzz")
	key, cert := issued.KeyPEM, issued.PEM
	const begin, end = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n"
	for _, seed := range [][3]string{
		{cert, key, cert}, {cert, "", ""}, {"", key, cert}, {key, cert, key}, {cert + cert, key, cert + cert},
		{begin + "aGVsbG8=\n" + end, key, cert}, {cert[:100], key[:60], cert}, {begin, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", end},
		{"\x0e", "\x1f ", cert}, {"\x00", "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n", cert}, {strings.ReplaceAll(cert, "\n", " "), strings.ReplaceAll(key, "\n", "\r\n"), cert},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, trusted, key, chain string) {
		props := map[string]string{"bootstrap.servers": "localhost:9092", "security.protocol": "SSL"}
		if trusted != "" {
			props["ssl.truststore.type"], props["ssl.truststore.certificates"] = "PEM", trusted
		}
		if key != "" || chain != "" {
			props["ssl.keystore.type"], props["ssl.keystore.key"], props["ssl.keystore.certificate.chain"] = "PEM", key, chain
		}
		cfg, _, err := FromMap(props)
		if err != nil {
			for line := range strings.Lines(key) {
				if line = strings.TrimSpace(line); len(line) > 20 && !strings.Contains(line, "-") && strings.Contains(err.Error(), line) {
					t.Errorf("%v shows %q, of a key", err, line)
				}
			}
			return
		}
		if cfg.TLS == nil {
			t.Fatal("TLS was asked for, and there is none")
		}
		if cfg.TLS.InsecureSkipVerify {
			t.Error("the broker's certificate is not verified, which nobody has asked for")
		}
		if !blank(trusted) && cfg.TLS.RootCAs == nil {
			t.Errorf("%q was taken, and nobody is trusted by it", trusted)
		}
		if !blank(key) && len(cfg.TLS.Certificates) != 1 {
			t.Errorf("a key was taken, and there are %d client certificates", len(cfg.TLS.Certificates))
		}
	})
}

// blank reports whether nothing is left of a value that is trimmed as Java trims it: of blanks and control characters.
func blank(value string) bool {
	return strings.TrimFunc(value, func(r rune) bool { return r <= ' ' }) == ""
}
