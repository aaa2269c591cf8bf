// Package tlsconf makes TLS configurations: of Java's ssl.* settings ([Resolve]), and of files that are replaced while the
// program runs ([Source]).
//
// A Source puts the certificates into each connection's own copy of the configuration, before the handshake. So package
// crypto/tls itself verifies the server, with the authorities that are in the files now. Only where the host name is not to be
// checked, this package verifies the chain. Open connections are not affected.
//
// No text of this package shows a password or a key.
package tlsconf
