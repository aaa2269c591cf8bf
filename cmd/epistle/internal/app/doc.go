// Package app is the command line program, apart from what a build of it adds: the mechanisms of SASL that are modules of their
// own, which register themselves where they are imported. Its builds are cmd/epistle and cmd/epistle/full/epistle.
package app
