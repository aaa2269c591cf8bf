package reader

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A Feature is what a broker says of a feature that the whole cluster has to agree on, as "transaction.version".
type Feature struct {
	Finalised int16 // the level that the cluster has agreed on, as far as the broker has heard; 0 for none
	Supported int16 // the highest level that the broker knows; 0 if it does not know the feature
}

// Features is what each broker says of a feature, by node ID.
func (a *Admin) Features(ctx context.Context, name string) (map[int32]Feature, error) {
	brokers, err := a.client.ListBrokers(ctx)
	if err != nil {
		return nil, err
	}
	features := make(map[int32]Feature)
	for _, id := range brokers.NodeIDs() {
		if features[id], err = a.feature(ctx, id, name); err != nil {
			return nil, fmt.Errorf("the features of broker %d: %w", id, err)
		}
	}
	return features, nil
}

func (a *Admin) feature(ctx context.Context, node int32, name string) (f Feature, err error) {
	request := kmsg.NewPtrApiVersionsRequest()
	request.ClientSoftwareName, request.ClientSoftwareVersion = "reader", "1" // neither may be empty
	response, err := a.conn.Broker(int(node)).RetriableRequest(ctx, request)
	if err != nil {
		return f, err
	}
	versions := response.(*kmsg.ApiVersionsResponse)
	for _, supported := range versions.SupportedFeatures {
		if supported.Name == name {
			f.Supported = supported.MaxVersion
		}
	}
	for _, finalised := range versions.FinalizedFeatures {
		if finalised.Name == name {
			f.Finalised = finalised.MaxVersionLevel
		}
	}
	return f, kerr.ErrorForCode(versions.ErrorCode)
}

// SetFeature raises or lowers the level of a feature, and waits until every broker has heard of it.
func (a *Admin) SetFeature(ctx context.Context, name string, level int16) error {
	const upgrade, safeDowngrade = 1, 2
	now, err := a.Features(ctx, name)
	if err != nil {
		return err
	}
	update := kadm.FeatureUpdate{Feature: name, MaxVersionLevel: level, UpgradeType: upgrade}
	for _, f := range now {
		if f.Finalised > level {
			update.UpgradeType = safeDowngrade
		}
	}
	answers, err := a.client.UpdateFeatures(ctx, false, update)
	if err == nil {
		err = answers.Error()
	}
	if err != nil {
		return fmt.Errorf("set feature %s to level %d: %w", name, level, err)
	}
	return poll(ctx, func() (bool, error) {
		now, err := a.Features(ctx, name)
		for id, f := range now {
			if f.Finalised != level {
				return false, fmt.Errorf("broker %d has feature %s at level %d, want %d", id, name, f.Finalised, level)
			}
		}
		return err == nil, err
	})
}
