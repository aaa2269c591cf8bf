// Package integration tests the producer against a real Apache Kafka, and reads with another client
// what is in the log. Tests whose name begins with TestFault kill, stop or pause brokers of their own;
// TestSendAndRead is what every supported version has to pass, and TestTransactions in each protocol that
// transactions have.
package integration
