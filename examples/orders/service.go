package orders

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/epistle-kafka/epistle/producer"
)

// An Order is what a customer sends, and what its event says.
type Order struct {
	Customer string `json:"customer"`
	Item     string `json:"item"`
	Cents    int64  `json:"cents"`
}

// A Service takes orders.
type Service struct {
	DB     *sql.DB
	Outbox *Outbox
	Health producer.Monitor
	Log    *slog.Logger
}

// NewService makes the table of orders if it is not there.
func NewService(ctx context.Context, db *sql.DB, outbox *Outbox, health producer.Monitor, log *slog.Logger) (*Service, error) {
	_, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, item TEXT NOT NULL, cents INTEGER NOT NULL)`)
	return &Service{DB: db, Outbox: outbox, Health: health, Log: log}, err
}

// Handler serves POST /orders, and the probes GET /alive and GET /ready.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", s.place)
	mux.HandleFunc("GET /alive", func(w http.ResponseWriter, _ *http.Request) {
		if h := s.Health.Health(); !h.Alive() {
			http.Error(w, fmt.Sprint(h.Reasons), http.StatusInternalServerError)
		}
	})
	// Orders are taken while Kafka is away: the outbox keeps them. So only the database decides whether the service is ready.
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) {
		if err := s.DB.PingContext(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	return mux
}

// place takes an order. 202 says that it is kept, and that its event will be sent.
func (s *Service) place(w http.ResponseWriter, r *http.Request) {
	var order Order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&order); err != nil {
		http.Error(w, "the order is not understood: "+err.Error(), http.StatusBadRequest)
		return
	}
	if order.Customer == "" || order.Item == "" || order.Cents <= 0 {
		http.Error(w, "an order has a customer, an item and cents above 0", http.StatusBadRequest)
		return
	}
	if err := s.keep(r.Context(), order); err != nil {
		s.Log.Error("an order was not kept", "err", err)
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	s.Outbox.Wake()
	w.WriteHeader(http.StatusAccepted)
}

// keep writes an order and its event: both or none.
func (s *Service) keep(ctx context.Context, order Order) (err error) {
	event, err := json.Marshal(order)
	if err != nil {
		return err
	}
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	if _, err := tx.ExecContext(ctx, `INSERT INTO orders (customer, item, cents) VALUES (?, ?, ?)`, order.Customer, order.Item, order.Cents); err != nil {
		return err
	}
	if err := s.Outbox.Add(ctx, tx, order.Customer, event); err != nil {
		return err
	}
	return tx.Commit()
}
