// Package gssapi authenticates a producer by Kerberos (SASL GSSAPI, RFC 4752; in Kafka KIP-12). It is a module of its own,
// so that only who needs it downloads github.com/jcmturner/gokrb5.
//
// In code:
//
//	mechanism, err := gssapi.New(gssapi.Config{
//		ServiceName: "kafka",
//		Principal:   "orders@EXAMPLE.TEST",
//		Keytab:      "/etc/security/orders.keytab",
//	})
//
// and the mechanism goes into the producer's Config. With properties an import is all that is needed,
//
//	import _ "github.com/epistle-kafka/epistle/sasl/gssapi"
//
// and the file is that of a Java client:
//
//	security.protocol=SASL_SSL
//	sasl.mechanism=GSSAPI
//	sasl.kerberos.service.name=kafka
//	sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required \
//	    useKeyTab=true keyTab="/etc/security/orders.keytab" principal="orders@EXAMPLE.TEST";
//
// # What a broker's principal is
//
// ServiceName/host@REALM. The host is the one that the cluster advertises, in lower case. Java looks up the name of the
// broker's address instead; [CanonicalizeReverse] does so too (in properties the option canonicalizeHost="reverse" of the
// login module, which Java ignores). An IP address is looked up unless that is forbidden.
//
// # Tickets
//
// They are kept in memory, one for each broker. When four fifths of a ticket's life are over, the next connection has it
// replaced: by keytab or password with a new login, from a credential cache by a renewal, where that was asked for. That is
// done beside the connections. It never delays a record, nor a connection as long as the old ticket is good. A credential
// cache is read again when it has changed; no program is run, and no file is written.
//
// # Errors
//
// A KDC that does not answer is tried again with the next connection. A wrong password, an unknown principal and an unknown
// service are final ([sasl.Final]), and so is a wrong clock until there has been a login. All of them say what to do.
//
// # Limits
//
// Brokers' session keys have to be of AES (RFC 3962, RFC 8009); RC4 and DES are over (RFC 8429). There is no security layer
// of GSSAPI: Kafka has none, and SASL_SSL encrypts. The broker proves that it can open the ticket, by signing its answer.
// Credential caches other than files are not read, and neither are smart cards (PKINIT) nor one-time passwords.
package gssapi
