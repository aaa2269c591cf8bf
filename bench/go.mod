module github.com/epistle-kafka/epistle/bench

go 1.26.0

require github.com/epistle-kafka/epistle v0.0.0

require (
	github.com/golang/snappy v1.0.0 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
)

replace github.com/epistle-kafka/epistle => ../
