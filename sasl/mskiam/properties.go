package mskiam

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/sasl"
)

const (
	jaasKey = "sasl.jaas.config"

	// loginModule and tokenHandler are classes of software.amazon.msk:aws-msk-iam-auth.
	loginModule  = "software.amazon.msk.auth.iam.IAMLoginModule"
	tokenHandler = "software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler"
)

func init() {
	sasl.Register(Name, func(s *sasl.Settings) (sasl.Mechanism, error) {
		cfg, err := FromSettings(s)
		if err != nil {
			return nil, err
		}
		m, err := New(cfg)
		if err != nil {
			return nil, setting(err)
		}
		return m, nil
	})
	sasl.RegisterTokenSource(tokenHandler, func(s *sasl.Settings) (sasl.TokenSource, error) {
		cfg, err := FromSettings(s)
		if err != nil {
			return nil, err
		}
		tokens, err := Tokens(cfg)
		if err != nil {
			return nil, setting(err)
		}
		return tokens, nil
	})
}

// setting is an error of New as one of properties.
func setting(err error) error {
	return &sasl.SettingError{Key: jaasKey, Rule: "cannot be used: " + err.Error()}
}

// FromSettings reads the options of IAMLoginModule, and those of the same names that OAuthBearerLoginModule has where
// IAMOAuthBearerLoginCallbackHandler makes its tokens. All errors are [*sasl.SettingError]s, joined if they are several.
// awsDebugCreds is without effect: errors say where credentials are from.
func FromSettings(s *sasl.Settings) (Config, error) {
	r := &reader{left: maps.Clone(s.Login.Options)}
	if s.Mechanism == Name && s.Login.Module != "" && s.Login.Module != loginModule && !strings.HasSuffix(s.Login.Module, "."+loginModule) {
		r.wrong("", "has the login module %s, and AWS_MSK_IAM takes %s", sasl.Quoted(s.Login.Module), loginModule)
		return Config{}, r.err()
	}
	cfg := Config{
		Profile:             r.text("awsProfileName"),
		RoleARN:             r.text("awsRoleArn"),
		RoleExternalID:      r.text("awsRoleExternalId"),
		RoleAccessKeyID:     r.text("awsRoleAccessKeyId"),
		RoleSecretAccessKey: sasl.Secret(r.text("awsRoleSecretAccessKey")),
		RoleSessionName:     r.text("awsRoleSessionName"),
		RoleSessionToken:    sasl.Secret(r.text("awsRoleSessionToken")),
		STSRegion:           r.text("awsStsRegion"),
		FIPS:                r.flag("awsShouldUseFips"),
		MaxRetries:          r.retries(),
		MaxBackoff:          time.Duration(r.whole("awsMaxBackOffTimeMs", math.MaxInt64/int64(time.Millisecond))) * time.Millisecond,
	}
	r.flag("awsDebugCreds")
	if cfg.RoleARN == "" {
		cfg.RoleSessionName, cfg.STSRegion = "", "" // as in Java, they say nothing without a role
	}
	r.needs(cfg)
	for _, name := range slices.Sorted(maps.Keys(r.left)) {
		isAWS, meant := strings.HasPrefix(name, "aws"), r.meant(name)
		switch {
		case s.Mechanism != Name && !isAWS: // FromSettings reads what is AWS's of another module
		case !isAWS && meant == "" && s.Ignore != nil && s.Ignore(name, r.asked):
		default:
			r.wrong(name, "is none of AWS's, which are %s%s", strings.Join(r.asked, ", "), meant)
		}
	}
	return cfg, r.err()
}

// meant says what somebody may have meant by an option that there is none of.
func (r *reader) meant(name string) string {
	lower := strings.ToLower(name)
	if strings.HasSuffix(lower, "region") {
		return "; the region is the one in the broker's name, else AWS_REGION or that of the profile"
	}
	for _, option := range r.asked {
		known := strings.ToLower(option)
		if len(lower) > len("aws") && (strings.HasPrefix(known, lower) || strings.HasPrefix(lower, known) || strings.HasSuffix(known, lower)) {
			return "; did you mean " + option + "?"
		}
	}
	return ""
}

// needs says of options what Config.check says of its fields.
func (r *reader) needs(cfg Config) {
	switch {
	case cfg.RoleARN == "" && (cfg.RoleAccessKeyID != "" || cfg.RoleSecretAccessKey != "" || cfg.RoleSessionToken != "" || cfg.RoleExternalID != ""):
		r.wrong("awsRoleArn", "is not set, and other options are that are for a role")
	case cfg.RoleARN != "" && !strings.HasPrefix(cfg.RoleARN, "arn:"):
		r.wrong("awsRoleArn", "is %s: it begins with arn:", sasl.Quoted(cfg.RoleARN))
	case (cfg.RoleAccessKeyID == "") != (cfg.RoleSecretAccessKey == ""):
		r.wrong("awsRoleAccessKeyId", "and awsRoleSecretAccessKey are needed both, or none of them")
	case cfg.RoleSessionToken != "" && cfg.RoleAccessKeyID == "":
		r.wrong("awsRoleSessionToken", "is set, and awsRoleAccessKeyId is not")
	case cfg.RoleAccessKeyID != "" && cfg.Profile != "":
		r.wrong("awsProfileName", "is set beside awsRoleAccessKeyId: one of them can assume the role")
	}
}

// A reader takes options one by one, and collects what is wrong.
type reader struct {
	left   map[string]sasl.Secret // the options that nobody has asked for yet
	asked  []string               // those that somebody has
	errors []error
}
