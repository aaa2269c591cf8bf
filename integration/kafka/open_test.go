package kafka

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pretend has Open try these kinds instead of its own.
func pretend(t *testing.T, opens ...func(context.Context, Options) (*Cluster, error)) {
	t.Setenv("KAFKA_KIND", "")
	t.Setenv("KAFKA_BOOTSTRAP", "")
	before := kinds
	t.Cleanup(func() { kinds = before })
	kinds = []kind{before[0]}
	for i, open := range opens {
		kinds = append(kinds, kind{[]string{"docker", "jvm"}[i], open})
	}
}

// Why a kind cannot be had is told before the next one is tried, which may take minutes.
func TestWhyNotIsToldBeforeTheNextIsTried(t *testing.T) {
	var said strings.Builder
	const why = "kafka: not by docker: no engine; trying jvm\n"
	pretend(t,
		func(context.Context, Options) (*Cluster, error) { return nil, unavailable("no engine") },
		func(context.Context, Options) (*Cluster, error) {
			if said.String() != why {
				t.Errorf("before the second is tried it has said %q, want %q", said.String(), why)
			}
			return &Cluster{addresses: []string{"127.0.0.1:9092"}}, nil
		})
	if _, err := Open(t.Context(), Options{Log: &said}); err != nil {
		t.Fatal(err)
	}
	if want := why + "kafka: Kafka by jvm, 1 broker(s) at 127.0.0.1:9092\n"; said.String() != want {
		t.Errorf("it said %q, want %q", said.String(), want)
	}
}

// Where none can be had the error has the reason of each.
func TestTheErrorHasTheReasonOfEach(t *testing.T) {
	var said strings.Builder
	pretend(t,
		func(context.Context, Options) (*Cluster, error) { return nil, unavailable("no engine") },
		func(context.Context, Options) (*Cluster, error) { return nil, unavailable("no java") })
	_, err := Open(t.Context(), Options{Log: &said})
	if !errors.Is(err, ErrUnavailable) || !strings.HasSuffix(err.Error(), ":\n  docker: no engine\n  jvm: no java") {
		t.Errorf("the error is %q", err)
	}
}

// Who waits is told every 20 s that it goes on, and never after its end.
func TestWhoWaitsIsToldThatItGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		end := Options{Log: &said}.keepTelling("Maven resolves the jars")
		time.Sleep(50 * time.Second)
		end()
		time.Sleep(time.Minute)
		if want := "kafka: 20s so far: Maven resolves the jars\nkafka: 40s so far: Maven resolves the jars\n"; said.String() != want {
			t.Errorf("it said %q, want %q", said.String(), want)
		}
	})
}
