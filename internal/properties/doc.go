// Package properties reads the configuration of Java's producer, and takes what Java takes: the syntax of java.util.Properties,
// the keys with their types, defaults and ranges, what one key makes of another, config providers, and the login of JAAS. It
// also recognises the keys of other clients and programs.
//
// [Parse] splits a file, [Resolve] makes a [Set] of it: values by key, a mechanism to log in with, and all notices and problems
// at once, each with its line. Of the producer's Config it knows only the names of fields, in its table. No notice and no
// problem has a secret in it.
package properties
