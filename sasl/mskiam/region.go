package mskiam

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/epistle-kafka/epistle/sasl"
)

// brokerRegion finds the region in the name of a broker of MSK, such as b-1.orders.abc123.c2.kafka.eu-west-1.amazonaws.com
// or boot-abc123.c1.kafka-serverless.us-east-1.amazonaws.com, in any of AWS's partitions.
var brokerRegion = regexp.MustCompile(`\.kafka[a-z-]*\.([a-z]{2,}(?:-[a-z]+)+-[0-9]+)\.[a-z.]+$`)

// errNoMachine says that there is nobody to ask for the region.
var errNoMachine = errors.New("AWS_EC2_METADATA_DISABLED forbids to ask the machine")

// machineRegion is that of AWS's chain, which asks the machine that this runs on.
func machineRegion(ctx context.Context) (string, error) {
	if strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		return "", errNoMachine
	}
	loaded, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithEC2IMDSRegion())
	return loaded.Region, err
}

// regionOf returns the region to sign for: of the configuration, of the broker's name, of AWS's chain. host is "" if it is
// for all brokers. The environment of a process does not change, nor does a broker's name, so a region that is in neither is
// final. A machine that does not answer may do so later, and what it has answered stays true.
func (s *signer) regionOf(ctx context.Context, host string) (string, error) {
	if s.cfg.Region != "" {
		return s.cfg.Region, nil
	}
	if found := brokerRegion.FindStringSubmatch(host); found != nil {
		return found[1], nil
	}
	if s.region != "" {
		return s.region, nil
	}
	if answered := s.answered.Load(); answered != nil {
		return *answered, nil
	}
	switch region, err := s.machine(ctx); {
	case err == nil && region != "":
		s.answered.Store(&region)
		return region, nil
	case err == nil:
		return "", sasl.Final(regionUnknown(host, errors.New("this machine has none, either")))
	case errors.Is(err, errNoMachine):
		return "", sasl.Final(regionUnknown(host, err))
	default:
		return "", regionUnknown(host, fmt.Errorf("this machine, which may be none of AWS's, was asked: %w", err))
	}
}

func regionUnknown(host string, why error) error {
	what := "the region is not known"
	if host != "" {
		what = "the region is not known, which the name of a broker of MSK has in it, and " + sasl.Quoted(host) + " has not"
	}
	return fmt.Errorf("%s: set AWS_REGION in the environment, region in the profile, or Region in a program; %w", what, why)
}
