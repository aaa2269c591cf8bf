// Package orders is an example: a service that takes orders over HTTP and tells Kafka of each.
//
// An order and its event are written to the database in one transaction (an outbox). A relay sends the events to Kafka in the
// order in which they were written, in transactions of Kafka, and deletes them when they are committed there. So an order that
// was answered with 202 reaches Kafka, whatever fails in between: Kafka may be away for hours, and the service may be killed at
// any moment. If it is killed after a commit and before the deletion, the same events are sent again; each has a header
// "event-id" by which consumers know it.
//
// The command is in cmd/orders. The tests show the same service with the double of package producertest, and with a cluster of
// brokertest. With a real Kafka the command itself is tested, in integration/orders: stopped and killed while it takes orders.
package orders
