// Package orders tests the example of the same name as it is run: its command, against a real Kafka, which is stopped and killed
// while it takes orders.
package orders
