// Epistle sends records to Apache Kafka from the command line. It is cmd/epistle with all mechanisms of SASL: GSSAPI and
// AWS_MSK_IAM, too. It is a module of its own, so that only those who need these two download gokrb5 and AWS's SDK.
package main

import (
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/app"
	_ "github.com/epistle-kafka/epistle/sasl/gssapi" // registers GSSAPI
	_ "github.com/epistle-kafka/epistle/sasl/mskiam" // registers AWS_MSK_IAM, and tokens of AWS for OAUTHBEARER
)

func main() { app.Main("-C cmd/epistle/full/epistle .") }
