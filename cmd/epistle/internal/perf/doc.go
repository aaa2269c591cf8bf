package perf

import "github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
var Command = cli.Command{Name: "perf"}
