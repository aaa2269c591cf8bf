package mskiam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// tellingKey is of the function in a context that is told of a request to AWS which has failed and is made again.
type tellingKey struct{}

// telling returns a context with that function. AWS's cache of credentials hands on what a context holds.
func telling(ctx context.Context, tell func(error)) context.Context {
	if tell == nil {
		return ctx
	}
	return context.WithValue(ctx, tellingKey{}, tell)
}

// A tellingRetryer decides as the SDK's own, and tells why a request is made again.
type tellingRetryer struct{ aws.RetryerV2 }

func (r tellingRetryer) GetRetryToken(ctx context.Context, failed error) (func(error) error, error) {
	if tell, ok := ctx.Value(tellingKey{}).(func(error)); ok {
		tell(explainCredentials(failed))
	}
	return r.RetryerV2.GetRetryToken(ctx, failed)
}
