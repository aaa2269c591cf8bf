// Epistle sends records to Apache Kafka from the command line; see `epistle help`. It has the mechanisms of SASL that need
// nothing but Go; cmd/epistle/full/epistle has the others, too.
package main

import "github.com/epistle-kafka/epistle/cmd/epistle/internal/app"

func main() { app.Main("./cmd/epistle") }
