// Package lines makes records of text: what an input is whose bytes are no lines, where the headers and the key of a line
// end, and what counts as null.
package lines
