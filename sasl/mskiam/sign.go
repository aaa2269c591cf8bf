package mskiam

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"

	"github.com/epistle-kafka/epistle/sasl"
)

const (
	service   = "kafka-cluster"
	action    = "kafka-cluster:Connect"
	userAgent = "epistle-mskiam"

	// lifetime is how long a signature holds.
	lifetime = 15 * time.Minute

	// emptyHash is SHA-256 of nothing, which is what the request's body is.
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// signed is a request of AWS, signed by its query (Signature Version 4). It lets in whoever has it.
type signed struct {
	url    *url.URL
	at     time.Time
	until  time.Time
	source string // of the credentials, such as "EC2RoleProvider"
	region string
}

// Format shows nothing of the signature.
func (s signed) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "signature for %s", s.region) }

// presign signs GET https://host/?Action=kafka-cluster:Connect.
func (s *signer) presign(ctx context.Context, host, region string) (signed, error) {
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return signed{}, explainCredentials(err)
	}
	if !credentials.HasKeys() {
		return signed{}, errors.New("AWS's credentials have no keys")
	}
	query := url.Values{"Action": {action}, "X-Amz-Expires": {strconv.Itoa(int(lifetime / time.Second))}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/?"+query.Encode(), nil)
	if err != nil {
		return signed{}, sasl.Final(fmt.Errorf("the host %s cannot be signed for", sasl.Quoted(host)))
	}
	at := time.Now().UTC().Truncate(time.Second)
	text, _, err := v4.NewSigner().PresignHTTP(ctx, credentials, request, emptyHash, service, region, at)
	if err != nil {
		return signed{}, fmt.Errorf("sign for AWS: %w", err)
	}
	u, err := url.Parse(text)
	if err != nil {
		return signed{}, errors.New("sign for AWS: the signed request is no URL")
	}
	until := at.Add(lifetime)
	if credentials.CanExpire && credentials.Expires.Before(until) {
		until = credentials.Expires
	}
	return signed{u, at, until, credentials.Source, region}, nil
}

// final lists the codes of AWS that no repetition mends.
var final = map[string]bool{
	"AccessDenied": true, "AccessDeniedException": true, "InvalidClientTokenId": true, "UnrecognizedClientException": true,
	"InvalidIdentityToken": true, "MalformedPolicyDocument": true, "ValidationError": true,
}

// explainCredentials says what to do where AWS gives no credentials.
func explainCredentials(err error) error {
	err = fmt.Errorf("no credentials of AWS: %w", err)
	api, ok := errors.AsType[smithy.APIError](err)
	if half := halfOfTheKeys(); !ok && half != "" {
		return fmt.Errorf("%w (%s)", err, half)
	}
	if !ok {
		return fmt.Errorf("%w (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role of the machine or the container can give some; `aws sts get-caller-identity` shows whether they do)", err)
	}
	if words := clockWords(api.ErrorMessage()); words != "" {
		return fmt.Errorf("%w (%s)", err, words)
	}
	if final[api.ErrorCode()] {
		return sasl.Final(err)
	}
	return err
}

// halfOfTheKeys says which of the two variables of the environment is missing; "" if both are set, or none. AWS's chain then passes
// over the environment without a word.
func halfOfTheKeys() string {
	const id, secret = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
	switch hasID, hasSecret := os.Getenv(id) != "", os.Getenv(secret) != ""; {
	case hasID && !hasSecret:
		return id + " is set, and " + secret + " is not: both are needed"
	case hasSecret && !hasID:
		return secret + " is set, and " + id + " is not: both are needed"
	}
	return ""
}

// clockWords says that AWS finds a signature too old or too new, "" if its words mean something else.
func clockWords(words string) string {
	lower := strings.ToLower(words)
	for _, sign := range []string{"signature expired", "signature not yet current", "skew", "is earlier than", "is later than"} {
		if strings.Contains(lower, sign) {
			return fmt.Sprintf("the clock of this machine says %s, and AWS takes no more than a few minutes off: set it", time.Now().UTC().Format(time.RFC3339))
		}
	}
	return ""
}

// explain says what a broker's refusal may be for, as far as it is known here.
func (s signed) explain(words string) string {
	if clock := clockWords(words); clock != "" {
		return clock
	}
	source := s.source
	if source == "" {
		source = "a provider"
	}
	return fmt.Sprintf("signed at %s for %s with credentials of %s: are they right (`aws sts get-caller-identity` says whose they are), do they allow kafka-cluster:Connect on this cluster, is that its region, and is this machine's clock right?",
		s.at.Format(time.RFC3339), s.region, source)
}
