// Package complete completes command lines of the program in shells. The scripts that a shell reads are thin: they ask the
// program itself, which answers from the tables of flags and of settings that it parses command lines with.
package complete
