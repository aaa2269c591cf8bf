package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// offering changes what an answer to ApiVersions says of one request.
func offering(change func(r *protocol.ApiVersionsResponse, i int), key int16) *brokertest.Action {
	return brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
		r := resp.(*protocol.ApiVersionsResponse)
		if i := slices.IndexFunc(r.APIKeys, func(k protocol.ApiVersion) bool { return k.APIKey == key }); i >= 0 {
			change(r, i)
		}
	})
}

// Ways in which a byte that has changed makes an answer offer no version that can be spoken.
var spoiltOffers = map[string]func(r *protocol.ApiVersionsResponse, i int){
	"inverted": func(r *protocol.ApiVersionsResponse, i int) { r.APIKeys[i].MinVersion ^= 1 << 14 },
	"negative": func(r *protocol.ApiVersionsResponse, i int) { r.APIKeys[i].MaxVersion ^= -1 << 15 },
	"below 0":  func(r *protocol.ApiVersionsResponse, i int) { r.APIKeys[i].MinVersion ^= -1 << 15 },
	"missing":  func(r *protocol.ApiVersionsResponse, i int) { r.APIKeys = slices.Delete(r.APIKeys, i, i+1) },
	"too new": func(r *protocol.ApiVersionsResponse, i int) {
		r.APIKeys[i].MinVersion, r.APIKeys[i].MaxVersion = 99, 120
	},
}

// What a broker offers is asked once a connection. An answer that offers nothing to speak is not the last word: no record
// fails, and the next connection is asked.
func TestAnImpossibleOfferIsAskedAgain(t *testing.T) {
	keys := map[string]int16{
		"Produce": brokertest.Produce, "Metadata": brokertest.Metadata, "InitProducerId": brokertest.InitProducerID,
		"ApiVersions": brokertest.ApiVersions,
	}
	for kind, change := range spoiltOffers {
		for api, key := range keys {
			t.Run(kind+" "+api, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
					p := start(t, c)
					c.On(brokertest.ApiVersions).Do(offering(change, key))
					send(t, p, record("first")) // over the bootstrap server
					c.CutConnections(1, true)
					time.Sleep(time.Second)
					c.On(brokertest.ApiVersions).Times(2).Do(offering(change, key)) // both connections
					for i := range 10 {
						send(t, p, record(fmt.Sprint(i)))
						time.Sleep(time.Second)
					}
				})
			})
		}
	}
}

// The same with transactions, and their requests.
func TestAnImpossibleOfferInATransaction(t *testing.T) {
	keys := map[string]int16{
		"FindCoordinator": brokertest.FindCoordinator, "InitProducerId": brokertest.InitProducerID, "Produce": brokertest.Produce,
	}
	for kind, change := range spoiltOffers {
		for api, key := range keys {
			t.Run(kind+" "+api, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
					p := uninitialised(t, c)
					c.On(brokertest.ApiVersions).Times(2).Do(offering(change, key))
					if err := p.InitTransactions(t.Context()); err != nil {
						t.Fatal(err)
					}
					transaction(t, p, "one")
				})
			})
		}
	}
}

// A broker that lacks a request on every connection is really too old: that is told, and soon. It is asked again
// for later records, at the pace of reconnecting.
func TestABrokerThatOffersTooLittleForGood(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		warm(t, p, "t")
		c.CutConnections(1, true)
		lasting := c.On(brokertest.ApiVersions).Always().Do(offering(spoiltOffers["missing"], brokertest.Produce))
		time.Sleep(time.Second)
		dials := c.Dials(1)
		for i := range 20 {
			begin := time.Now()
			_, err := p.SendSync(t.Context(), record(fmt.Sprint(i)))
			if err == nil || !strings.Contains(err.Error(), "does not know Produce") || errors.Is(err, producer.ErrDeliveryTimeout) {
				t.Fatalf("got %v, want the broker's word that it has no Produce", err)
			}
			if took := time.Since(begin); took > 15*time.Second || producer.MayBeWritten(err) {
				t.Errorf("it took %v to say so: %v", took, err)
			}
		}
		if dials = c.Dials(1) - dials; dials > 25 {
			t.Errorf("%d dials for 20 records", dials)
		}
		lasting.Stop()
		if _, err := p.SendSync(t.Context(), record("upgraded")); err != nil {
			t.Errorf("the broker knows it now: %v", err)
		}
	})
}

// An offer that lacks EndTxn alone keeps no producer from its next transaction: nothing would ever be sent that shows what is
// missing, so the connection is closed when a transaction is refused for it, and the next one is asked.
func TestAnOfferWithoutEndTxnIsAskedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 1))
		p := transactional(t, c)
		transaction(t, p, "one")
		c.On(brokertest.ApiVersions).Broker(c.Coordinator("tx")).Do(offering(spoiltOffers["missing"], brokertest.EndTxn))
		c.CutConnections(1, true)
		c.CutConnections(2, true)
		time.Sleep(time.Second)
		failed := 0
		for range 60 {
			err := p.BeginTransaction(t.Context())
			if err == nil {
				if err := p.AbortTransaction(t.Context()); err != nil {
					t.Fatal(err)
				}
			} else if failed++; !strings.Contains(err.Error(), "EndTxn") {
				t.Fatal(err)
			}
			if err := p.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if failed == 0 || failed > 3 {
			t.Errorf("%d of 60 transactions could not be begun, want one or two after a spoilt offer", failed)
		}
		transaction(t, p, "two")
	})
}

// The answer to a commit is lost, and the next connection to the coordinator offers the old EndTxn alone, which cannot be asked
// what became of the new one. It is asked again before that ends the producer.
func TestAnOlderEndTxnWhileACommitIsInDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := transactional(t, c)
		transaction(t, p, "one")
		c.On(brokertest.EndTxn).Do(brokertest.HandleThenDrop())
		c.On(brokertest.ApiVersions).Do(offering(func(r *protocol.ApiVersionsResponse, i int) { r.APIKeys[i].MaxVersion = 4 }, brokertest.EndTxn))
		transaction(t, p, "two")
		transaction(t, p, "three")
	})
}
