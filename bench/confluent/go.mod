module github.com/epistle-kafka/epistle/bench/confluent

go 1.26.0

require (
	github.com/confluentinc/confluent-kafka-go/v2 v2.15.0
	github.com/epistle-kafka/epistle/bench v0.0.0
)

replace github.com/epistle-kafka/epistle => ../../

replace github.com/epistle-kafka/epistle/bench => ../
