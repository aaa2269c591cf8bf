// Package identity makes what clients and brokers prove to each other who they are with: certificates of an authority, and
// the signed tokens of an identity provider. It is for tests and measurements alone.
package identity
