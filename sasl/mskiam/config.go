package mskiam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/epistle-kafka/epistle/sasl"
)

// A Config says whose credentials are used, and for which region. The zero Config is AWS's usual: the credentials of the
// environment, the profile, SSO, a web identity, a container or the machine, whichever is there first.
//
// It shows no secret, however it is printed.
type Config struct {
	// Region of the cluster, such as "eu-west-1". Default: that in the broker's name, else that of AWS's chain (AWS_REGION,
	// AWS_DEFAULT_REGION, the profile, the machine).
	Region string

	// Credentials take the place of AWS's chain. They are kept until shortly before they expire, so a provider that asks
	// somebody each time will do.
	Credentials aws.CredentialsProvider

	// Profile is the one to use of AWS's shared configuration files. Default: AWS_PROFILE, else "default". Java:
	// awsProfileName.
	Profile string

	// RoleARN is a role to assume, with the credentials that there are otherwise. Java: awsRoleArn.
	RoleARN string

	// These are of use with RoleARN alone.
	RoleSessionName     string      // default: "epistle-mskiam". Java: awsRoleSessionName
	RoleExternalID      string      // Java: awsRoleExternalId
	RoleAccessKeyID     string      // to assume the role with, instead of other credentials. Java: awsRoleAccessKeyId
	RoleSecretAccessKey sasl.Secret // Java: awsRoleSecretAccessKey
	RoleSessionToken    sasl.Secret // Java: awsRoleSessionToken
	STSRegion           string      // of the service that gives out roles' credentials; default: "aws-global". Java: awsStsRegion

	// FIPS has that service called by its FIPS endpoint. Java: awsShouldUseFips.
	FIPS bool

	// MaxRetries bounds how often AWS is asked again for credentials, for one connection. 0 is the SDK's default, 2, and a
	// negative number is never. Java: awsMaxRetries.
	MaxRetries int

	// MaxBackoff bounds the pauses between these. Default: the SDK's, 20 s. Java: awsMaxBackOffTimeMs.
	MaxBackoff time.Duration
}

const (
	defaultSessionName = "epistle-mskiam"
	globalRegion       = "aws-global"

	// expiryWindow is how long before their end credentials are fetched anew.
	expiryWindow = 30 * time.Second
)

// String returns what is not secret.
func (c Config) String() string {
	var words []string
	for _, field := range []struct{ name, value string }{{"region", c.Region}, {"profile", c.Profile}, {"role", c.RoleARN}} {
		if field.value != "" {
			words = append(words, field.name+" "+field.value)
		}
	}
	if c.Credentials != nil {
		words = append(words, "credentials of a provider")
	}
	if words == nil {
		return "AWS's usual credentials"
	}
	return strings.Join(words, ", ")
}

// Format writes String whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue is String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is String, for JSON and its like.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c Config) check() error {
	if c.RoleARN == "" {
		for _, field := range []struct{ name, value string }{
			{"RoleSessionName", c.RoleSessionName}, {"RoleExternalID", c.RoleExternalID}, {"RoleAccessKeyID", c.RoleAccessKeyID},
			{"RoleSecretAccessKey", string(c.RoleSecretAccessKey)}, {"RoleSessionToken", string(c.RoleSessionToken)}, {"STSRegion", c.STSRegion},
		} {
			if field.value != "" {
				return fmt.Errorf("%s is set, and RoleARN is not", field.name)
			}
		}
	}
	switch {
	case c.RoleARN != "" && !strings.HasPrefix(c.RoleARN, "arn:"):
		return fmt.Errorf("RoleARN is %s: it begins with arn:", sasl.Quoted(c.RoleARN))
	case (c.RoleAccessKeyID == "") != (c.RoleSecretAccessKey == ""):
		return errors.New("one of RoleAccessKeyID and RoleSecretAccessKey is set: both are needed")
	case c.RoleSessionToken != "" && c.RoleAccessKeyID == "":
		return errors.New("RoleSessionToken is set, and RoleAccessKeyID is not")
	case c.RoleAccessKeyID != "" && (c.Credentials != nil || c.Profile != ""):
		return errors.New("RoleAccessKeyID is set beside Credentials or Profile: one of them can assume the role")
	case c.Profile != "" && c.Credentials != nil:
		return errors.New("Credentials and Profile are set: one of them is enough")
	case c.MaxBackoff < 0:
		return fmt.Errorf("MaxBackoff is %v: it is not negative", c.MaxBackoff)
	}
	return nil
}

// A signer has the credentials, and signs with them.
type signer struct {
	cfg         Config
	credentials aws.CredentialsProvider
	region      string // of AWS's chain without the machine's; "" if it has none
	machine     func(ctx context.Context) (string, error)
	answered    atomic.Pointer[string] // the region that the machine has answered
}

// newSigner reads AWS's shared configuration files, and asks nobody.
func newSigner(cfg Config) (*signer, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("mskiam: %w", err)
	}
	window := func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = expiryWindow }
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithRetryer(cfg.retryer), awsconfig.WithCredentialsCacheOptions(window)}
	if cfg.Profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(cfg.Profile))
	}
	if cfg.FIPS {
		options = append(options, awsconfig.WithUseFIPSEndpoint(aws.FIPSEndpointStateEnabled))
	}
	if cfg.RoleAccessKeyID != "" {
		options = append(options, awsconfig.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(
			cfg.RoleAccessKeyID, string(cfg.RoleSecretAccessKey), string(cfg.RoleSessionToken))))
	} else if cfg.Credentials != nil {
		options = append(options, awsconfig.WithCredentialsProvider(cfg.Credentials))
	}
	loaded, err := awsconfig.LoadDefaultConfig(context.Background(), options...)
	if err != nil {
		if _, none := errors.AsType[awsconfig.SharedConfigProfileNotExistError](err); none {
			return nil, fmt.Errorf("mskiam: read AWS's configuration: %w (`aws configure list-profiles` lists the profiles that there are)", err)
		}
		return nil, fmt.Errorf("mskiam: read AWS's configuration: %w", err)
	}
	// Credentials are kept by a cache of the SDK's, which has one goroutine at a time ask for new ones.
	s := &signer{cfg: cfg, region: loaded.Region, credentials: loaded.Credentials, machine: machineRegion}
	if cfg.RoleARN != "" {
		s.credentials = aws.NewCredentialsCache(cfg.role(loaded), window)
	}
	return s, nil
}

func (c Config) retryer() aws.Retryer {
	return tellingRetryer{retry.NewStandard(func(o *retry.StandardOptions) {
		if c.MaxRetries != 0 {
			o.MaxAttempts = max(c.MaxRetries, 0) + 1
		}
		if c.MaxBackoff > 0 {
			o.MaxBackoff = c.MaxBackoff
		}
	})}
}

func (c Config) role(loaded aws.Config) aws.CredentialsProvider {
	client := sts.NewFromConfig(loaded, func(o *sts.Options) {
		o.Region = c.STSRegion
		if o.Region == "" {
			o.Region = globalRegion
		}
	})
	return stscreds.NewAssumeRoleProvider(client, c.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = c.RoleSessionName
		if o.RoleSessionName == "" {
			o.RoleSessionName = defaultSessionName
		}
		if c.RoleExternalID != "" {
			o.ExternalID = aws.String(c.RoleExternalID)
		}
	})
}
