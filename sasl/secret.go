package sasl

import (
	"fmt"
	"io"
	"log/slog"
)

// A Secret is a text that is not printed: not by package fmt with any verb, not as JSON, not by slog. string(s) returns the
// text. But package fmt prints a Secret in a field that is not exported, since it calls no methods there. So hold secrets in
// exported fields, or in functions.
type Secret string

const hidden = "[hidden]"

// String returns "[hidden]", or "" for an empty Secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format prints what String returns, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue returns what String returns, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns what String returns, for JSON and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
