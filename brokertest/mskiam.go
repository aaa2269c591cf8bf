package brokertest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

const awsMSKIAM = "AWS_MSK_IAM"

// MSKIAM offers AWS_MSK_IAM, the mechanism of Amazon MSK, to whoever signs with this key for this region. Name it several times
// for several keys. As Amazon does, brokers look at all of the signature (Signature Version 4), and tell no client more than
// "Access denied". They know nothing of policies and of session tokens: a key that is known may do everything.
//
// A request has to be signed for the host at which the client has reached the broker. A host name is taken as it is, because a
// client may have dialled the broker by any name. An IP address has to be the broker's own.
func MSKIAM(region, accessKeyID, secretAccessKey string) SASLMechanism {
	return SASLMechanism{name: awsMSKIAM, user: accessKeyID, credential: credential{password: secretAccessKey, region: region}}
}

const (
	iamVersion  = "2020_10_22"
	iamLifetime = 15 * time.Minute // of a signature
	iamAhead    = 5 * time.Minute  // how far a client's clock may be ahead
)

// iamServer is the broker's side of AWS_MSK_IAM. Amazon has published clients alone: what they send is known, and what people
// have been answered.
type iamServer struct {
	c         *Cluster
	host      string // the broker's own
	principal string
}

func (s *iamServer) next(token []byte) ([]byte, bool, error) {
	id := s.c.requestID()
	var payload map[string]string
	if err := json.Unmarshal(token, &payload); err != nil || !s.takes(payload) {
		return nil, false, &saslRefusal{"[" + id + "]: Access denied"}
	}
	answer, err := json.Marshal(map[string]string{"version": iamVersion, "request-id": id})
	return answer, err == nil, err
}

func (s *iamServer) who() (string, time.Time) { return s.principal, time.Time{} }

// requestID makes up an id as Amazon has one in each answer.
func (c *Cluster) requestID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.newID()
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// takes checks a payload, and notes whose it is.
func (s *iamServer) takes(payload map[string]string) bool {
	query := url.Values{}
	for _, name := range []string{"Action", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Security-Token", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		if value, is := payload[strings.ToLower(name)]; is {
			query.Set(name, value)
		}
	}
	host := payload["host"]
	isName := host != "" && net.ParseIP(host) == nil && !strings.HasSuffix(host, ".") && !strings.Contains(host, ":")
	if payload["version"] != iamVersion || payload["user-agent"] == "" || len(payload) != len(query)+3 || host != s.host && !isName {
		return false
	}
	id, _, _ := strings.Cut(query.Get("X-Amz-Credential"), "/")
	known, is := s.c.credentialOf(awsMSKIAM, id)
	if !is || !signedBy(query, host, id, known, time.Now()) {
		return false
	}
	s.principal = id
	return true
}

// signedBy checks the query of a request that is signed by Signature Version 4: GET https://host/?query.
func signedBy(query url.Values, host, id string, known credential, now time.Time) bool {
	at, err := time.Parse("20060102T150405Z", query.Get("X-Amz-Date"))
	if err != nil || now.Sub(at) > iamLifetime || at.Sub(now) > iamAhead {
		return false
	}
	scope := at.Format("20060102") + "/" + known.region + "/kafka-cluster/aws4_request"
	for name, want := range map[string]string{
		"Action": "kafka-cluster:Connect", "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": id + "/" + scope,
		"X-Amz-Expires": "900", "X-Amz-SignedHeaders": "host",
	} {
		if query.Get(name) != want {
			return false
		}
	}
	return hmac.Equal([]byte(signature(query, host, scope, known.password)), []byte(query.Get("X-Amz-Signature")))
}

// signature computes that of a request from the query without it.
func signature(query url.Values, host, scope, secret string) string {
	var parts []string
	for name, values := range query {
		if name != "X-Amz-Signature" {
			parts = append(parts, percent(name)+"="+percent(values[0]))
		}
	}
	slices.Sort(parts)
	canonical := strings.Join([]string{"GET", "/", strings.Join(parts, "&"), "host:" + host, "", "host", hexSHA256("")}, "\n")
	signed := strings.Join([]string{"AWS4-HMAC-SHA256", query.Get("X-Amz-Date"), scope, hexSHA256(canonical)}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range append(strings.Split(scope, "/"), signed) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

func hexSHA256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// percent writes all but the unreserved characters of RFC 3986 as %XX.
func percent(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
