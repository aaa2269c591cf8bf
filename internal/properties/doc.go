// Package properties reads what Java's producer is configured with, and takes what Java takes: the syntax of
// java.util.Properties, the keys with their types, defaults and ranges, what one key makes of another, config providers, and
// the login of JAAS. It knows the keys of other clients and programs for what they are.
//
// [Parse] splits a file, [Resolve] makes a [Set] of it: values by key, a mechanism to log in with, and all notices and
// problems at once, each with its line. It knows nothing of the producer's Config, but for the names of fields in its table.
// Secrets are in no notice and in no problem.
package properties
