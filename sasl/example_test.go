package sasl_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/epistle-kafka/epistle/sasl"
)

func ExamplePlain() {
	mechanism := sasl.Plain("alice", "secret")
	fmt.Println(mechanism.Name())
	// Output: PLAIN
}

// The password is in a file that is replaced when it is rotated, such as a mounted secret. It is read for each connection.
func ExamplePlainFrom() {
	mechanism := sasl.PlainFrom(sasl.PasswordFile("alice", "/run/secrets/kafka-password"))
	fmt.Println(mechanism.Name())
	// Output: PLAIN
}

func ExampleScramSHA256() {
	mechanism := sasl.ScramSHA256("alice", "secret")
	fmt.Println(mechanism.Name())
	// Output: SCRAM-SHA-256
}

// User and password come from a vault, which is asked at each authentication.
func ExampleScramSHA512From() {
	read := func(ctx context.Context, name string) (string, error) { return "secret", ctx.Err() } // from your vault
	mechanism := sasl.ScramSHA512From(func(ctx context.Context) (sasl.Credentials, error) {
		password, err := read(ctx, "kafka/alice")
		if err != nil {
			return sasl.Credentials{}, err
		}
		return sasl.Credentials{User: "alice", Password: sasl.Secret(password)}, nil
	})
	fmt.Println(mechanism.Name())
	// Output: SCRAM-SHA-512
}

// What kafka-delegation-tokens.sh prints is the id and the HMAC of a token.
func ExampleDelegationToken() {
	mechanism := sasl.ScramSHA512From(sasl.DelegationToken("tokenid", "aGVsbG8gaG1hYw=="))
	fmt.Println(mechanism.Name())
	// Output: SCRAM-SHA-512
}

// A function gets the token, such as one that signs it with the credentials of a cloud.
func ExampleOAuthBearer() {
	sign := func(context.Context) (string, time.Time, error) {
		return "to.ke.n", time.Now().Add(15 * time.Minute), nil
	}
	mechanism := sasl.OAuthBearer(sasl.TokenFunc(func(ctx context.Context) (sasl.Token, error) {
		value, expires, err := sign(ctx)
		return sasl.Token{Value: sasl.Secret(value), Expires: expires}, err
	}))
	fmt.Println(mechanism.Name())
	// Output: OAUTHBEARER
}

// An identity provider gives a token for the client's id and secret.
func ExampleOIDC() {
	source, err := sasl.OIDC(sasl.OIDCConfig{
		TokenURL:     "https://idp.example.com/oauth2/token",
		ClientID:     "orders",
		ClientSecret: "secret",
		Scope:        "kafka",
	})
	if err != nil {
		log.Fatal(err) // such as: TokenURL is not set
	}
	fmt.Println(sasl.OAuthBearer(source).Name())
	// Output: OAUTHBEARER
}

// The client proves who it is by an assertion that it signs.
func ExampleSignedAssertion() {
	assertion, err := sasl.SignedAssertion(sasl.AssertionConfig{
		KeyFile:  "/run/secrets/client.pem",
		Issuer:   "orders",
		Subject:  "orders",
		Audience: "https://idp.example.com/oauth2/token",
	})
	if err != nil {
		log.Fatal(err)
	}
	source, err := sasl.OIDC(sasl.OIDCConfig{TokenURL: "https://idp.example.com/oauth2/token", ClientID: "orders", Assertion: assertion})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sasl.OAuthBearer(source).Name())
	// Output: OAUTHBEARER
}

// Something else renews the token in a file. Confluent Cloud wants to know the cluster besides.
func ExampleTokenFile() {
	source := sasl.WithExtensions(sasl.TokenFile("/run/secrets/token"), map[string]string{"logicalCluster": "lkc-1"})
	fmt.Println(sasl.OAuthBearer(source).Name())
	// Output: OAUTHBEARER
}

// A broker with Kafka's default validator, which is for development, believes what the token says.
func ExampleUnsecuredJWS() {
	source, err := sasl.UnsecuredJWS(map[string]any{"sub": "alice"}, time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sasl.OAuthBearer(source).Name())
	// Output: OAUTHBEARER
}
