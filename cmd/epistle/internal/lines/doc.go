// Package lines makes records of text: where the key of a line ends, where its headers do, and what counts as null.
package lines
