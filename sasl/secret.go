package sasl

import (
	"fmt"
	"io"
	"log/slog"
)

// A Secret is a text that is not printed: not by package fmt with any verb, not as JSON, not by slog. string(s) is what it
// holds. Package fmt calls no methods of what is in a field that is not exported, though, and prints it: hold secrets in
// exported fields, or in functions.
type Secret string

const hidden = "[hidden]"

// String returns "[hidden]", or "" for no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format writes String whatever the verb, also one that is wrong for a string.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue is String, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, for JSON and its like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
