package reader

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// clientMetrics is the type of resources that are subscriptions to metrics of clients (KIP-714).
const clientMetrics kmsg.ConfigResourceType = 16

// SubscribeMetrics has brokers want metrics of all clients, whose names begin so ("*" for all), each that often.
func (a *Admin) SubscribeMetrics(ctx context.Context, name string, metrics []string, interval time.Duration) error {
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = clientMetrics, name
	for key, value := range map[string]string{"metrics": strings.Join(metrics, ","), "interval.ms": strconv.FormatInt(interval.Milliseconds(), 10)} {
		config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		config.Name, config.Value = key, kmsg.StringPtr(value)
		resource.Configs = append(resource.Configs, config)
	}
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, resource)
	response, err := request.RequestWith(ctx, a.conn)
	if err != nil {
		return fmt.Errorf("subscribe to metrics: %w", err)
	}
	for _, r := range response.Resources {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return fmt.Errorf("subscribe to metrics as %s: %w", name, err)
		}
	}
	return nil
}
