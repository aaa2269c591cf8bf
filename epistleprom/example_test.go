package epistleprom_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/epistleprom"
	"github.com/epistle-kafka/epistle/producer"
)

// A producer's metrics in a registry of their own. A program hands the registry to promhttp.HandlerFor, and that to its HTTP server.
func Example() {
	kafka, err := brokertest.Start(brokertest.Topic("orders", 1)) // a cluster in the process
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kafka.Close()
	p, err := producer.New(producer.DefaultConfig(kafka.Bootstrap()...))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close(context.Background())

	registry := prometheus.NewRegistry()
	registry.MustRegister(epistleprom.New(p, epistleprom.Options{ConstLabels: prometheus.Labels{"client_id": "orders"}}))

	if _, err := p.SendSync(context.Background(), producer.Record{Topic: "orders", Value: []byte("12.50")}); err != nil {
		fmt.Println(err)
		return
	}
	families, err := registry.Gather()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, family := range families {
		if strings.HasSuffix(family.GetName(), "records_sent_total") {
			fmt.Println(family.GetName(), family.GetMetric()[0].GetCounter().GetValue())
		}
	}
	// Output: kafka_producer_records_sent_total 1
}
