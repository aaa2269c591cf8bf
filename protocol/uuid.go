package protocol

import "encoding/base64"

// UUID identifies a topic (KIP-516) or a client instance (KIP-714). The zero value means none.
type UUID [16]byte

// String is the form that Kafka's tools print: base64 in the URL alphabet, without padding, 22 characters.
func (u UUID) String() string { return base64.RawURLEncoding.EncodeToString(u[:]) }
