// Package lines makes records of text. It finds inputs whose bytes are no lines, and divides a line into headers, key and
// value, any of which may be null.
package lines
