package mskiam

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/epistle-kafka/epistle/sasl"
)

// brokerRegion finds the region in the name of a broker of MSK, such as b-1.orders.abc123.c2.kafka.eu-west-1.amazonaws.com
// or boot-abc123.c1.kafka-serverless.us-east-1.amazonaws.com, in any of AWS's partitions.
var brokerRegion = regexp.MustCompile(`\.kafka[a-z-]*\.([a-z]{2,}(?:-[a-z]+)+-[0-9]+)\.[a-z.]+$`)

// machineRegion is that of AWS's chain, which asks the machine that this runs on.
func machineRegion(ctx context.Context) (string, error) {
	loaded, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithEC2IMDSRegion())
	return loaded.Region, err
}

// regionOf returns the region to sign for: of the configuration, of the broker's name, of AWS's chain. host is "" if it is
// for all brokers.
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
	region, err := s.machine(ctx)
	if err == nil && region == "" {
		err = errors.New("it has none")
	}
	if err != nil {
		return "", sasl.Final(fmt.Errorf("the region is not known: set Region, or AWS_REGION in the environment; the machine was asked: %w", err))
	}
	return region, nil
}
