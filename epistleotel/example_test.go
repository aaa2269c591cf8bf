package epistleotel_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/epistleotel"
	"github.com/epistle-kafka/epistle/producer"
)

// A record is sent within a span of the program's. With otel.SetTracerProvider and otel.SetTextMapPropagator no options are
// needed.
func ExampleInstrument() {
	kafka, err := brokertest.Start(brokertest.Topic("orders", 1))
	if err != nil {
		log.Fatal(err)
	}
	defer kafka.Close()
	exporter := tracetest.NewInMemoryExporter() // in a program one of OTLP's, behind sdktrace.WithBatcher
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))

	cfg := producer.DefaultConfig(kafka.Bootstrap()...)
	err = epistleotel.Instrument(&cfg, epistleotel.WithTracerProvider(tracers), epistleotel.WithPropagator(propagation.TraceContext{}))
	if err != nil {
		log.Fatal(err)
	}
	p, err := producer.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	ctx, span := tracers.Tracer("example").Start(context.Background(), "take order")
	if _, err := p.SendSync(ctx, producer.Record{Topic: "orders", Value: []byte("12.50")}); err != nil {
		log.Fatal(err)
	}
	span.End()
	if err := p.Close(ctx); err != nil { // the span of the last record has ended by then
		log.Fatal(err)
	}

	for _, s := range exporter.GetSpans() {
		fmt.Printf("%s (%v), below another: %v, links: %d\n", s.Name, s.SpanKind, s.Parent.IsValid(), len(s.Links))
	}
	for _, h := range kafka.Records("orders", 0)[0].Headers {
		fmt.Println("header", h.Key)
	}
	// Unordered output:
	// send orders (client), below another: false, links: 1
	// create orders (producer), below another: true, links: 0
	// take order (internal), below another: false, links: 0
	// header traceparent
}
