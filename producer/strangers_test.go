package producer_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A broker may call itself, and say, what it likes. Whatever of it is shown, in an error, in the log, in Stats, is quoted and
// bounded: it sets no terminal's title, forges no line of a log and fills no disk.
func TestWhatABrokerSaysIsQuotedAndBounded(t *testing.T) {
	evil := "\x1b]0;owned\a\x1b[2J\r\nlevel=ERROR msg=forged "
	for name, said := range map[string]string{
		"escapes": evil, "long": strings.Repeat("x", 32000), "both": strings.Repeat(evil, 500), "no UTF-8": "\xff\xfe\x9b31m",
	} {
		for where, edit := range map[string]func(*brokertest.Request, protocol.Response){
			"the host of a broker": func(_ *brokertest.Request, resp protocol.Response) {
				if m, ok := resp.(*protocol.MetadataResponse); ok {
					for i := range m.Brokers {
						m.Brokers[i].Host = said
					}
				}
			},
			"an error's text": func(_ *brokertest.Request, resp protocol.Response) {
				if m, ok := resp.(*protocol.ProduceResponse); ok {
					for i := range m.Topics {
						for j := range m.Topics[i].Partitions {
							m.Topics[i].Partitions[j].ErrorCode = protocol.PolicyViolation
							m.Topics[i].Partitions[j].ErrorMessage = &said
						}
					}
				}
			},
		} {
			t.Run(where+"/"+name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
					c.On(brokertest.Metadata).Always().Do(brokertest.Edit(edit))
					c.On(brokertest.Produce).Always().Do(brokertest.Edit(edit))
					var log bytes.Buffer
					p := start(t, c, func(cfg *producer.Config) {
						cfg.DeliveryTimeout, cfg.RequestTimeout, cfg.MaxBlock = 20*time.Second, 10*time.Second, 10*time.Second
						cfg.Logger = slog.New(rawHandler{slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}), &log})
					})
					f := p.Send(t.Context(), record("a"))
					_, early := f.Wait(endsIn(t, 5*time.Second))
					flush := p.Flush(endsIn(t, time.Second))
					_, late := f.Wait(t.Context())
					ping := p.Ping(endsIn(t, time.Second))
					synctest.Wait() // the log has all
					texts := map[string]string{"the log": log.String()}
					for what, err := range map[string]error{"Wait": early, "Flush": flush, "the record's error": late, "Ping": ping} {
						if err != nil {
							texts[what] = err.Error()
						}
					}
					if early == nil || late == nil {
						t.Fatalf("the record was written: %v, %v", early, late)
					}
					for _, b := range p.Brokers() {
						texts["the address of a broker"] += b.Addr + " "
						if b.LastError != nil {
							texts["the last error of a broker"] += b.LastError.Error()
						}
					}
					for what, text := range texts {
						if len(text) > 8000 && what != "the log" || len(text) > 100_000 {
							t.Errorf("%s has %d bytes: %.200q…", what, len(text), text)
						}
						if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) || strings.Contains(text, "\nlevel=ERROR") {
							t.Errorf("%s is %.300q", what, text)
						}
					}
				})
			})
		}
	}
}

// rawHandler writes strings as they are, as some handlers do.
type rawHandler struct {
	slog.Handler
	to *bytes.Buffer
}

func (h rawHandler) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		h.to.WriteString(a.Key + "=" + a.Value.String() + " ")
		return true
	})
	h.to.WriteString(r.Message + "\n")
	return nil
}

// What a cluster advertises may be no address at all. Then it is told that the cluster has; and a host in brackets is taken,
// as Java does.
func TestWhatAClusterAdvertises(t *testing.T) {
	advertise := func(t *testing.T, host string, port int32) (*brokertest.Cluster, *producer.Producer) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		c.On(brokertest.Metadata).Always().Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
			b := &resp.(*protocol.MetadataResponse).Brokers[0]
			b.Host, b.Port = host, port
		}))
		return c, start(t, c, func(cfg *producer.Config) {
			cfg.DeliveryTimeout, cfg.RequestTimeout = 20*time.Second, 10*time.Second
			first := c.Bootstrap()[0]
			cfg.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if addr == "[::1]:9092" {
					addr = first
				}
				return c.DialContext(ctx, network, addr)
			}
		})
	}
	for _, test := range []struct {
		host string
		port int32
		says string
	}{
		{"kafka", -5, "port -5"}, {"kafka", 70000, "port 70000"}, {"kafka", 0, "port 0"}, {"", 9092, "host name is empty"},
	} {
		bubble(t, func(t *testing.T) {
			_, p := advertise(t, test.host, test.port)
			_, err := p.SendSync(t.Context(), record("a"))
			want(t, test.says, err, []string{"broker 1 at ", test.says, "the address comes from the cluster", "advertised.listeners"})
		})
	}
	for _, host := range []string{"::1", "[::1]"} {
		bubble(t, func(t *testing.T) {
			c, p := advertise(t, host, 9092)
			send(t, p, record("a"))
			if got := logged(c); len(got) != 1 {
				t.Errorf("advertised as %s: the log has %v, want the record", host, got)
			}
		})
	}
	if err := (producer.DefaultConfig("[::1]:9092")).Validate(); err != nil {
		t.Errorf("[::1]:9092 as a bootstrap server: %v", err)
	}
}
