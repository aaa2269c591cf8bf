package properties

const jvmOnly = "concerns the JVM; TLS is Go's own"

// sslSettings matter with security.protocol=SSL or SASL_SSL only; otherwise each is without effect. The producer reads them.
var sslSettings = []Setting{
	{Key: "ssl.cipher.suites", Kind: "LIST", Default: "", How: Mapped, Why: "Java's names; those that Go lacks are left out with a notice, and it is an error if none remains. Of TLS 1.3, Go always offers all"},
	{Key: "ssl.enabled.protocols", Kind: "LIST", Default: "TLSv1.2,TLSv1.3", How: Mapped, Why: "TLSv1.2 and TLSv1.3; older ones are left out with a notice"},
	{Key: "ssl.endpoint.identification.algorithm", Kind: "STRING", Default: "https", How: Mapped, Why: "empty: the certificate is verified, the host name in it is not"},
	{Key: "ssl.engine.factory.class", Kind: "CLASS", Default: NotSet, How: Refused, Why: "is a Java class, which cannot run here: set Config.TLS"},
	{Key: "ssl.key.password", Kind: "PASSWORD", Default: NotSet, How: Mapped, Why: "`TLSFiles.KeyPassword`, the password of the key itself; without it `ssl.keystore.password` is tried. For PEM, that of an encrypted key; of no effect, with a notice, without `ssl.keystore.location` or `ssl.keystore.key`"},
	{Key: "ssl.keymanager.algorithm", Kind: "STRING", Default: "SunX509", How: WithoutEffect, Why: jvmOnly},
	{Key: "ssl.keystore.certificate.chain", Kind: "PASSWORD", Default: NotSet, How: Mapped, Why: "PEM, with `ssl.keystore.key` and `ssl.keystore.type=PEM`"},
	{Key: "ssl.keystore.key", Kind: "PASSWORD", Default: NotSet, How: Mapped, Why: "PEM, also encrypted (PKCS#8)"},
	{Key: "ssl.keystore.location", Kind: "STRING", Default: NotSet, How: Mapped, Why: "`TLSFiles.KeyStore`: JKS, PKCS12 or PEM, told by its content; looked at again when a connection is made"},
	{Key: "ssl.keystore.password", Kind: "PASSWORD", Default: NotSet, How: Mapped, Why: "`TLSFiles.KeyStorePassword`; with PEM it is an error, as in Java"},
	{Key: "ssl.keystore.type", Kind: "STRING", Default: "JKS", How: Mapped, Why: "the content of the store says what it is; PEM is for the keys that hold PEM themselves; of no effect, with a notice, without `ssl.keystore.location` or `ssl.keystore.key`"},
	{Key: "ssl.protocol", Kind: "STRING", Default: "TLSv1.3", How: Mapped, Why: "TLSv1.2 leaves out TLS 1.3, as in Java; with TLSv1.3 and TLS, `ssl.enabled.protocols` decides"},
	{Key: "ssl.provider", Kind: "STRING", Default: NotSet, How: WithoutEffect, Why: jvmOnly},
	{Key: "ssl.secure.random.implementation", Kind: "STRING", Default: NotSet, How: WithoutEffect, Why: jvmOnly},
	{Key: "ssl.trustmanager.algorithm", Kind: "STRING", Default: "PKIX", How: WithoutEffect, Why: jvmOnly},
	{Key: "ssl.truststore.certificates", Kind: "PASSWORD", Default: NotSet, How: Mapped, Ours: "the system's roots", Why: "PEM, with `ssl.truststore.type=PEM`"},
	{Key: "ssl.truststore.location", Kind: "STRING", Default: NotSet, How: Mapped, Ours: "the system's roots", Why: "`TLSFiles.TrustStore`: JKS, PKCS12 or PEM, told by its content; looked at again when a connection is made"},
	{Key: "ssl.truststore.password", Kind: "PASSWORD", Default: NotSet, How: Mapped, Why: "`TLSFiles.TrustStorePassword`; with PEM it is an error, as in Java"},
	{Key: "ssl.truststore.type", Kind: "STRING", Default: "JKS", How: Mapped, Why: "the content of the store says what it is; PEM is for the keys that hold PEM themselves; of no effect, with a notice, without `ssl.truststore.location` or `ssl.truststore.certificates`"},
}
