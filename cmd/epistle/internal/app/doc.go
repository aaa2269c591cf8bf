// Package app is the command line program, apart from what a build of it adds: mechanisms of SASL register themselves where they
// are imported.
package app
