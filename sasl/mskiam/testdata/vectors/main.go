// The program writes tokens as AWS's own signer makes them, with what they were made of:
//
//	go run . > ../vectors.json
//
// It is a module of its own, so that nobody else needs that signer.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"github.com/aws/aws-msk-iam-sasl-signer-go/signer"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

type vector struct {
	Region, AccessKeyID, SecretAccessKey, SessionToken string
	Token                                              string
	ExpiresMs                                          int64
}

func main() {
	vectors := []vector{
		{Region: "us-east-1", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
		{Region: "eu-central-1", AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: "a key with spaces, + and /", SessionToken: "IQoJb3JpZ2luX2Vj//+ab c=="},
		{Region: "us-gov-west-1", AccessKeyID: "ASIA", SecretAccessKey: "é", SessionToken: "~-_.!*'()"},
	}
	for i := range vectors {
		v := &vectors[i]
		provider := aws.CredentialsProvider(credentials.NewStaticCredentialsProvider(v.AccessKeyID, v.SecretAccessKey, v.SessionToken))
		var err error
		v.Token, v.ExpiresMs, err = signer.GenerateAuthTokenFromCredentialsProvider(context.Background(), v.Region, provider)
		if err != nil {
			log.Fatal(err)
		}
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "\t")
	if err := out.Encode(vectors); err != nil {
		log.Fatal(err)
	}
}
