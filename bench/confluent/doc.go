// Package confluent is where the driver of confluent-kafka-go lives.
package confluent
