package producer

// JavaMetric is a metric under the name that Java's client has for it, as in its Producer.metrics(): what dashboards of Java
// producers know, and what brokers subscribe to (KIP-714).
type JavaMetric struct {
	Group string            // such as "producer-node-metrics"
	Name  string            // such as "request-latency-avg": the unit is in it or nowhere, as in Java
	Tags  map[string]string // such as "node-id"; nil: none
	Value float64
	Total bool // counts from the beginning, and never goes back; else Value is as of now
}
