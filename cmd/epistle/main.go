// Epistle sends records to Apache Kafka from the command line; see `epistle help`.
package main

import "github.com/epistle-kafka/epistle/cmd/epistle/internal/app"

func main() { app.Main("./cmd/epistle") }
