package mskiam_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/epistle-kafka/epistle/sasl"
	"github.com/epistle-kafka/epistle/sasl/mskiam"
)

// Without anything set, the credentials are those of the environment, the profile, the container or the machine.
func ExampleNew() {
	mechanism, err := mskiam.New(mskiam.Config{})
	fmt.Println(mechanism, err)
	// Output: AWS_MSK_IAM with AWS's usual credentials <nil>
}

// Tokens are for clusters and proxies that have OAUTHBEARER.
func ExampleTokens() {
	tokens, err := mskiam.Tokens(mskiam.Config{
		Region:      "eu-west-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "not shown", ""),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sasl.OAuthBearer(tokens).Name())
	// Output: OAUTHBEARER
}
