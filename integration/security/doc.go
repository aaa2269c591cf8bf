// Package security has no code but tests: of a real broker that clients have to prove to who they are, by SASL or by the
// certificates of TLS.
package security
