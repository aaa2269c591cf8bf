// Package epistleprom shows what a producer measures to Prometheus.
//
//	p, err := producer.New(cfg)
//	…
//	prometheus.MustRegister(epistleprom.New(p, epistleprom.Options{}))
//
// A collector asks the producer for its Metrics whenever Prometheus asks for it, and for nothing in between: records cost
// nothing more. The package documentation of producer, and docs/metrics.md, say what each number means. The latter has all
// names with their labels, under "Under Prometheus".
//
// Labels are bounded: topic by Options.MaxTopics, beyond which all is under "_other"; node_id by the brokers that there are;
// reason, api and stage by what there can be. No record's key, no partition and no client address is a label.
//
// Histograms have classic buckets, which every scrape gets. Those of times and sizes, whose bounds are powers of two of a
// second, a byte or a record, have native buckets beside them, for scrapes that ask for native histograms. Such a scrape leaves
// the classic ones out, unless always_scrape_classic_histograms is set; dashboard.json takes whichever are there. The
// compression ratio has classic buckets alone.
//
// An alert that finds every kind of trouble:
//
//	kafka_producer_oldest_record_age_seconds > 30
//
// and one for records that may be in the log though their callers were told that they failed. A count of failures begins with
// the first of them, which rate and increase do not see, so what has begun of late counts as it is:
//
//	sum by (topic, reason) ((kafka_producer_records_failed_total{written="maybe"} unless kafka_producer_records_failed_total offset 5m)
//		or increase(kafka_producer_records_failed_total{written="maybe"}[5m])) > 0
//
// alerts.yml has these and others, and dashboard.json is a dashboard for Grafana: both are run with a Prometheus by this
// module's tests.
package epistleprom
