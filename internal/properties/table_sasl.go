package properties

// What becomes of the keys that a mechanism reads, by mechanism.
const (
	ofGSSAPI    = "for the mechanism GSSAPI"
	ofOAuth     = "for the mechanism OAUTHBEARER"
	brokersOnly = "read by brokers, which check tokens; clients share the definition"
	javaClasses = "a class that does what the mechanism here does anyway; any other is a Java class, and an error: set Config.SASL"
	noKinit     = "no kinit is run"
)

// saslSettings matter with security.protocol=SASL_SSL or SASL_PLAINTEXT only; login.go reads them, and hands all that are set
// to the mechanism.
var saslSettings = []Setting{
	{Key: "sasl.client.callback.handler.class", Kind: "CLASS", Default: NotSet, How: Mapped, Why: javaClasses},
	{Key: "sasl.jaas.config", Kind: "PASSWORD", Default: NotSet, How: Mapped, Why: "the login module and its options; required with SASL. A file of `java.security.auth.login.config` is not read"},
	{Key: "sasl.kerberos.kinit.cmd", Kind: "STRING", Default: "/usr/bin/kinit", How: WithoutEffect, Why: noKinit},
	{Key: "sasl.kerberos.min.time.before.relogin", Kind: "LONG", Default: "60000", How: Mapped, Why: ofGSSAPI},
	{Key: "sasl.kerberos.service.name", Kind: "STRING", Default: NotSet, How: Mapped, Why: ofGSSAPI},
	{Key: "sasl.kerberos.ticket.renew.jitter", Kind: "DOUBLE", Default: "0.05", How: Mapped, Why: ofGSSAPI},
	{Key: "sasl.kerberos.ticket.renew.window.factor", Kind: "DOUBLE", Default: "0.8", How: Mapped, Why: ofGSSAPI},
	{Key: "sasl.login.callback.handler.class", Kind: "CLASS", Default: NotSet, How: Mapped, Why: javaClasses},
	{Key: "sasl.login.class", Kind: "CLASS", Default: NotSet, How: Mapped, Why: javaClasses},
	{Key: "sasl.login.connect.timeout.ms", Kind: "INT", Default: NotSet, How: Mapped, Why: ofOAuth},
	{Key: "sasl.login.read.timeout.ms", Kind: "INT", Default: NotSet, How: Mapped, Why: ofOAuth},
	{Key: "sasl.login.refresh.buffer.seconds", Kind: "SHORT", Default: "300", Valid: "[0,...,3600]", How: Mapped, Why: ofOAuth},
	{Key: "sasl.login.refresh.min.period.seconds", Kind: "SHORT", Default: "60", Valid: "[0,...,900]", How: Mapped, Why: ofOAuth},
	{Key: "sasl.login.refresh.window.factor", Kind: "DOUBLE", Default: "0.8", Valid: "[0.5,...,1.0]", How: Mapped, Why: ofOAuth},
	{Key: "sasl.login.refresh.window.jitter", Kind: "DOUBLE", Default: "0.05", Valid: "[0.0,...,0.25]", How: Mapped, Why: ofOAuth},
	{Key: "sasl.login.retry.backoff.max.ms", Kind: "LONG", Default: "10000", How: Mapped, Why: ofOAuth},
	{Key: "sasl.login.retry.backoff.ms", Kind: "LONG", Default: "100", How: Mapped, Why: ofOAuth},
	{Key: "sasl.mechanism", Kind: "STRING", Default: "GSSAPI", How: Mapped, Field: "SASL", Why: "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER; others by an import that registers them, such as GSSAPI"},
	{Key: "sasl.oauthbearer.allow.unverified.audience", Kind: "BOOLEAN", Default: "false", How: WithoutEffect, Why: brokersOnly},
	{Key: "sasl.oauthbearer.allow.unverified.issuer", Kind: "BOOLEAN", Default: "false", How: WithoutEffect, Why: brokersOnly},
	{Key: "sasl.oauthbearer.assertion.algorithm", Kind: "STRING", Default: "RS256", Valid: "(case insensitive) [ES256, RS256]", How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.assertion.claim.aud", Kind: "STRING", Default: NotSet, How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.assertion.claim.exp.seconds", Kind: "INT", Default: "300", Valid: "[0,...,86400]", How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.assertion.claim.iss", Kind: "STRING", Default: NotSet, How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.assertion.claim.jti.include", Kind: "BOOLEAN", Default: "false", How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.assertion.claim.nbf.seconds", Kind: "INT", Default: "60", Valid: "[0,...,3600]", How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.assertion.claim.sub", Kind: "STRING", Default: NotSet, How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.assertion.file", Kind: "STRING", Default: NotSet, How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.assertion.private.key.file", Kind: "STRING", Default: NotSet, How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.assertion.private.key.passphrase", Kind: "PASSWORD", Default: NotSet, How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.assertion.template.file", Kind: "STRING", Default: NotSet, How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.client.credentials.client.id", Kind: "STRING", Default: NotSet, How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.client.credentials.client.secret", Kind: "PASSWORD", Default: NotSet, How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.clock.skew.seconds", Kind: "INT", Default: "30", How: WithoutEffect, Why: brokersOnly},
	{Key: "sasl.oauthbearer.expected.audience", Kind: "LIST", Default: "", How: WithoutEffect, Why: brokersOnly},
	{Key: "sasl.oauthbearer.expected.issuer", Kind: "STRING", Default: NotSet, How: WithoutEffect, Why: brokersOnly},
	{Key: "sasl.oauthbearer.header.urlencode", Kind: "BOOLEAN", Default: "false", How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.jwks.endpoint.refresh.ms", Kind: "LONG", Default: "3600000", How: WithoutEffect, Why: brokersOnly},
	{Key: "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", Kind: "LONG", Default: "10000", How: WithoutEffect, Why: brokersOnly},
	{Key: "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", Kind: "LONG", Default: "100", How: WithoutEffect, Why: brokersOnly},
	{Key: "sasl.oauthbearer.jwks.endpoint.url", Kind: "STRING", Default: NotSet, How: WithoutEffect, Why: brokersOnly},
	{Key: "sasl.oauthbearer.jwt.retriever.class", Kind: "CLASS", Default: "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever", How: Mapped, Why: javaClasses},
	{Key: "sasl.oauthbearer.jwt.validator.class", Kind: "CLASS", Default: "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator", How: Mapped, Why: javaClasses},
	{Key: "sasl.oauthbearer.scope", Kind: "STRING", Default: NotSet, How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.scope.claim.name", Kind: "STRING", Default: "scope", How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.sub.claim.name", Kind: "STRING", Default: "sub", How: Mapped, Why: ofOAuth},
	{Key: "sasl.oauthbearer.token.endpoint.url", Kind: "STRING", Default: NotSet, How: Mapped, Why: ofOAuth},
}
