// Package mskiam authenticates a producer at Amazon MSK by IAM, in both forms: the mechanism AWS_MSK_IAM, and tokens for
// OAUTHBEARER. It is a module of its own, so that only who needs it downloads AWS's SDK.
//
// In code:
//
//	mechanism, err := mskiam.New(mskiam.Config{})
//
// and the mechanism goes into the producer's Config. With properties an import is all that is needed,
//
//	import _ "github.com/epistle-kafka/epistle/sasl/mskiam"
//
// and the file is that of a Java client:
//
//	security.protocol=SASL_SSL
//	sasl.mechanism=AWS_MSK_IAM
//	sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required awsProfileName="orders";
//	sasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMClientCallbackHandler
//
// or, with tokens, which [Tokens] returns for sasl.OAuthBearer in code:
//
//	security.protocol=SASL_SSL
//	sasl.mechanism=OAUTHBEARER
//	sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
//	sasl.login.callback.handler.class=software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler
//	sasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler
//
// # Credentials
//
// They are found and fetched by AWS's SDK, kept until shortly before they expire, and used to sign a request that holds for 15
// minutes (Signature Version 4). Signing asks nobody. Each authentication is signed for anew; with a broker's sessions
// ending after at most 15 minutes, that is several times an hour for each connection, and beside its records.
//
// # Region
//
// A broker's name has the region in it. Where it has not, as behind a load balancer or an IP address, and for tokens, which
// are for all brokers of a region, it is AWS_REGION, AWS_DEFAULT_REGION, the profile's, or the machine's.
//
// # Errors
//
// What AWS denies is final ([sasl.Final]); that it does not answer, or that a session of SSO is over, may be mended and is
// tried again. A broker refuses without a reason: the error then says when and for which region was signed, and with whose
// credentials.
package mskiam
