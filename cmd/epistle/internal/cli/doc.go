// Package cli is what all commands have in common: how they are found, described and run, how their flags become a producer's
// settings, what ends them, and their exit statuses.
package cli
