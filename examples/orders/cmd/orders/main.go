// Orders takes orders over HTTP, and tells Kafka of each:
//
//	go run ./orders/cmd/orders -b localhost:9092
//	curl -i -d '{"customer":"customer-7","item":"tea","cents":1250}' localhost:8080/orders
//
// SIGTERM and Ctrl-C end it gracefully: requests are answered, and events that wait are sent, for 20 s at most. What is left
// then is in the database, and is sent after the next start.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	_ "modernc.org/sqlite"

	"github.com/epistle-kafka/epistle/epistleprom"
	"github.com/epistle-kafka/epistle/examples/orders"
	"github.com/epistle-kafka/epistle/producer"
)

func main() {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(2) // package flag has said why
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	listen  string
	brokers []string
	file    string // of the database
	topic   string // of the events
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("orders", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", "localhost:8080", "the `address` to serve")
	brokers := flags.String("b", "localhost:9092", "brokers, `host:port,…`")
	flags.StringVar(&o.file, "db", "orders.db", "the `file` of the database")
	flags.StringVar(&o.topic, "topic", "orders", "the `topic` of the events")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		flags.Usage()
		return o, fmt.Errorf("it takes no arguments but flags: %q", flags.Args())
	}
	o.brokers = strings.Split(*brokers, ",")
	return o, nil
}

func run(ctx context.Context, o options) (err error) {
	log := slog.Default()
	db, err := sql.Open("sqlite", "file:"+o.file+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	// One relay has this id at a time: another instance that starts takes it over, and this one ends.
	cfg := producer.ExactlyOnce(o.topic+"-relay", o.brokers...)
	cfg.Logger = log
	p, err := producer.New(cfg)
	if err != nil {
		return err
	}
	outbox, err := orders.NewOutbox(ctx, db, p, o.topic, log)
	if err != nil {
		return err
	}
	service, err := orders.NewService(ctx, db, outbox, p, log)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(epistleprom.New(p, epistleprom.Options{}))
	mux := http.NewServeMux()
	mux.Handle("/", service.Handler())
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Info("serving", "address", listener.Addr().String())

	relay := make(chan error, 1)
	relayCtx, stopRelay := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRelay()
	go func() { relay <- outbox.Run(relayCtx) }()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	var failure error
	select {
	case <-ctx.Done():
		log.Info("stopping")
	case failure = <-served:
	case failure = <-relay:
		relay <- nil // it has ended
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	failure = errors.Join(failure, server.Shutdown(grace))
	stopRelay()
	<-relay
	for failure == nil {
		if n, err := outbox.SendPage(grace); n == 0 || err != nil {
			if err != nil {
				log.Warn("events are left in the outbox", "err", err)
			}
			break
		}
	}
	return errors.Join(failure, p.Close(grace))
}
