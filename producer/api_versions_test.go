package producer_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// hangsUp is a proxy that hangs up on requests of an API above a version, and passes the others on.
type hangsUp struct {
	c      *brokertest.Cluster
	apiKey int16
	most   int16

	mu    sync.Mutex
	asked []int16 // the versions of that API that were asked for
}

func (h *hangsUp) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := h.c.DialContext(ctx, network, addr)
	return &hungUpConn{conn, h}, err
}

type hungUpConn struct {
	net.Conn
	h *hangsUp
}

// Write gets whole requests here: they are small.
func (c *hungUpConn) Write(b []byte) (int, error) {
	key, version := int16(binary.BigEndian.Uint16(b[4:])), int16(binary.BigEndian.Uint16(b[6:]))
	if key == c.h.apiKey {
		c.h.mu.Lock()
		c.h.asked = append(c.h.asked, version)
		c.h.mu.Unlock()
		if version > c.h.most {
			c.Conn.Close()
			return len(b), nil
		}
	}
	return c.Conn.Write(b)
}

func (c *hungUpConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, net.ErrClosed) {
		err = io.EOF
	}
	return n, err
}

// A broker that hangs up on an ApiVersions that it does not know is asked older ones, on each new connection.
func TestApiVersionsIsHungUpOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		h := &hangsUp{c: c, apiKey: brokertest.ApiVersions, most: 3}
		p := start(t, c, func(cfg *producer.Config) { cfg.DialContext = h.dial })
		begin := time.Now()
		send(t, p, record("first"))
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("the first record took %v", took)
		}
		h.mu.Lock()
		h.asked = nil
		h.mu.Unlock()
		c.CutConnections(1, false)
		time.Sleep(time.Second)
		send(t, p, record("second"))
		h.mu.Lock()
		defer h.mu.Unlock()
		asked := map[int16]int{}
		for _, version := range h.asked {
			asked[version]++
		}
		if asked[3] == 0 || asked[5] < asked[3] {
			t.Errorf("asked in versions %v, want each new connection to begin with the newest: the broker may be another by now", h.asked)
		}
	})
}

// A proxy that hangs up on a newer Produce than it knows ends records with an error that says what to set; and set, it
// works.
func TestAProxyThatHangsUpOnAVersion(t *testing.T) {
	for name, change := range map[string]func(*producer.Config){
		"as it is": func(*producer.Config) {},
		"capped":   func(cfg *producer.Config) { cfg.MaxAPIVersions = map[string]int16{"Produce": 9, "Metadata": 8} },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				h := &hangsUp{c: c, apiKey: brokertest.Produce, most: 9}
				p := start(t, c, func(cfg *producer.Config) {
					cfg.DialContext, cfg.RequestTimeout, cfg.DeliveryTimeout = h.dial, 5*time.Second, 10*time.Second
				}, change)
				_, err := p.SendSync(t.Context(), record("x"))
				if name == "capped" {
					if err != nil {
						t.Error(err)
					}
					for _, r := range c.Requests() {
						if r.APIKey == brokertest.Metadata && r.Version != 8 {
							t.Errorf("Metadata in version %d, want 8", r.Version)
						}
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), "may not know version 13 of Produce: a lower one is set by max.api.versions=Produce=12") {
					t.Errorf("the error does not name request, version and setting: %v", err)
				}
			})
		})
	}
}

// The mock cluster of librdkafka refuses ApiVersions in a way of its own. Records go into it all the same, idempotent and
// in transactions.
func TestTheMockClusterOfLibrdkafka(t *testing.T) {
	for _, id := range []string{"", "billing"} {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Versions(brokertest.ApiVersions, 0, 2), brokertest.Versions(brokertest.Metadata, 0, 12))
			body, _ := hex.DecodeString("0023" + "01" + "0012" + "0000" + "0002" + "00000000")
			p := start(t, c, func(cfg *producer.Config) {
				cfg.TransactionalID = id
				cfg.DialContext = tamper(c, func(key, version int16, frame []byte) []byte {
					if key == brokertest.Metadata && version == 12 { // it has a byte too many there
						frame = append(frame, 0)
						binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
					}
					if key != brokertest.ApiVersions || version < 3 {
						return frame
					}
					refusal := append(frame[:8:8], body...)
					binary.BigEndian.PutUint32(refusal, uint32(len(refusal)-4))
					return refusal
				})
				cfg.MetadataMaxAge = time.Second // with each, a transactional producer asks what is finalised
			})
			if id == "" {
				send(t, p, record("a"))
				time.Sleep(5 * time.Second)
				send(t, p, record("b"))
				return
			}
			if err := p.InitTransactions(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if err := p.Transact(t.Context(), func(tx *producer.Tx) error {
					tx.Send(t.Context(), record("a"))
					time.Sleep(2 * time.Second)
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// The setting names requests as Kafka does, and versions that there are.
func TestMaxAPIVersions(t *testing.T) {
	for text, want := range map[string]string{
		"Produce=9,Metadata=8": "",
		"Produce = 9":          "",
		"Produce=99":           "",
		"":                     "",
		"produce=9":            "must name a request as Kafka does",
		"Fetch=9":              "must name a request as Kafka does",
		"Produce=2":            "must be at least 3",
		"Produce":              "must be the name of a request, and a version from 0 on",
		"Produce=x":            "must be the name of a request, and a version from 0 on",
		"Produce=-1":           "must be the name of a request, and a version from 0 on",
		"9":                    "must be the name of a request, and a version from 0 on",
	} {
		cfg, _, err := producer.FromProperties(strings.NewReader("bootstrap.servers=localhost:9092\nmax.api.versions=" + text + "\n"))
		if err == nil {
			err = cfg.Validate()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "max.api.versions")) {
			t.Errorf("max.api.versions=%s: %v, want %q", text, err, want)
		}
		if text == "Produce=9,Metadata=8" && (cfg.MaxAPIVersions["Produce"] != 9 || cfg.MaxAPIVersions["Metadata"] != 8) {
			t.Errorf("read as %v", cfg.MaxAPIVersions)
		}
	}
}
