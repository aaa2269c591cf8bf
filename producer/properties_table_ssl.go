package producer

const jvmOnly = "concerns the JVM; TLS is Go's own"

// sslSettings matter with security.protocol=SSL only; otherwise each is without effect. properties_tls.go reads them.
var sslSettings = []setting{
	{key: "ssl.cipher.suites", kind: "LIST", def: "", how: mapped, why: "Java's names; those that Go lacks are left out with a notice, and it is an error if none remains. Of TLS 1.3, Go always offers all"},
	{key: "ssl.enabled.protocols", kind: "LIST", def: "TLSv1.2,TLSv1.3", how: mapped, why: "TLSv1.2 and TLSv1.3; older ones are left out with a notice"},
	{key: "ssl.endpoint.identification.algorithm", kind: "STRING", def: "https", how: mapped, why: "empty: the certificate is verified, the host name in it is not"},
	{key: "ssl.engine.factory.class", kind: "CLASS", def: notSet, how: refused, why: "is a Java class, which cannot run here: set Config.TLS"},
	{key: "ssl.key.password", kind: "PASSWORD", def: notSet, how: mapped, why: "without effect on a key that is not encrypted; an encrypted one is an error: decrypt it with `openssl pkcs8 -in key.pem -out plain.pem`, or set Config.TLS"},
	{key: "ssl.keymanager.algorithm", kind: "STRING", def: "SunX509", how: withoutEffect, why: jvmOnly},
	{key: "ssl.keystore.certificate.chain", kind: "PASSWORD", def: notSet, how: mapped, why: "PEM, with `ssl.keystore.key` and `ssl.keystore.type=PEM`"},
	{key: "ssl.keystore.key", kind: "PASSWORD", def: notSet, how: mapped, why: "PEM, not encrypted"},
	{key: "ssl.keystore.location", kind: "STRING", def: notSet, how: mapped, why: "a PEM file with key and certificates; read once, when the properties are"},
	{key: "ssl.keystore.password", kind: "PASSWORD", def: notSet, how: mapped, why: "belongs to JKS and PKCS12; with PEM it is an error, as in Java"},
	{key: "ssl.keystore.type", kind: "STRING", def: "JKS", how: mapped, why: "PEM; JKS and PKCS12 are errors that say how to convert"},
	{key: "ssl.protocol", kind: "STRING", def: "TLSv1.3", how: withoutEffect, why: "concerns the JVM; ssl.enabled.protocols decides"},
	{key: "ssl.provider", kind: "STRING", def: notSet, how: withoutEffect, why: jvmOnly},
	{key: "ssl.secure.random.implementation", kind: "STRING", def: notSet, how: withoutEffect, why: jvmOnly},
	{key: "ssl.trustmanager.algorithm", kind: "STRING", def: "PKIX", how: withoutEffect, why: jvmOnly},
	{key: "ssl.truststore.certificates", kind: "PASSWORD", def: notSet, how: mapped, ours: "the system's roots", why: "PEM, with `ssl.truststore.type=PEM`"},
	{key: "ssl.truststore.location", kind: "STRING", def: notSet, how: mapped, ours: "the system's roots", why: "a PEM file; read once, when the properties are"},
	{key: "ssl.truststore.password", kind: "PASSWORD", def: notSet, how: mapped, why: "belongs to JKS and PKCS12; with PEM it is an error, as in Java"},
	{key: "ssl.truststore.type", kind: "STRING", def: "JKS", how: mapped, why: "PEM; JKS and PKCS12 are errors that say how to convert"},
}
