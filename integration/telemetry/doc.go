// Package telemetry tests what brokers receive of a producer's metrics (KIP-714): with a receiver inside a broker of the JVM,
// which reads them with OpenTelemetry's own classes, and beside Java's producer.
package telemetry
