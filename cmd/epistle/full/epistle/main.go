// Epistle sends records to Apache Kafka from the command line, and has all mechanisms of SASL that there are for it: those of
// cmd/epistle, GSSAPI and AWS_MSK_IAM. It is a module of its own, so that who needs neither of the latter two downloads neither
// gokrb5 nor AWS's SDK.
package main

import (
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/app"
	_ "github.com/epistle-kafka/epistle/sasl/gssapi" // registers GSSAPI
	_ "github.com/epistle-kafka/epistle/sasl/mskiam" // registers AWS_MSK_IAM, and tokens of AWS for OAUTHBEARER
)

func main() { app.Main("-C cmd/epistle/full/epistle .") }
