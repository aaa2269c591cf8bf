// Package tlsconf makes configurations of TLS: out of Java's ssl.* settings ([Resolve]), and out of files that are replaced
// while the program runs ([Source]).
//
// A Source gives each connection its certificates before the handshake, in the connection's own copy of the configuration.
// So the server is verified by package crypto/tls itself, with the authorities that are in the files now, and nothing is
// verified here but where the host name is not to be checked. Connections that exist go on as they are.
//
// No text of this package shows a password or a key.
package tlsconf
