package kafka

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
)

// front listens, and gives each connection to the first of some handlers, which is then used up, and at last to the last one.
func front(t *testing.T, handlers ...func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go handlers[0](conn)
			if len(handlers) > 1 {
				handlers = handlers[1:]
			}
		}
	}()
	return l.Addr().String()
}

func hangUp(conn net.Conn) { conn.Close() }

// says sends some bytes, whatever it is asked.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		defer conn.Close()
		conn.Read(make([]byte, 100))
		io.WriteString(conn, text)
	}
}

// to passes a connection on.
func to(addr string) func(net.Conn) {
	return func(conn net.Conn) {
		defer conn.Close()
		behind, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer behind.Close()
		go io.Copy(behind, conn)
		io.Copy(conn, behind)
	}
}

// log is what Open says.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// A cluster that was named and is still starting is waited for, and it is said until when.
func TestANamedClusterThatIsStarting(t *testing.T) {
	broker := brokertest.New(t)
	addr := front(t, hangUp, hangUp, to(broker.Bootstrap()[0]))
	t.Setenv("KAFKA_KIND", "bootstrap")
	t.Setenv("KAFKA_BOOTSTRAP", addr)
	said := new(log)
	c, err := Open(t.Context(), Options{Log: said})
	if err != nil || c.Bootstrap() != addr {
		t.Fatalf("Open = %v, want the cluster: it answers at the third attempt", err)
	}
	if got := said.text.String(); strings.Count(got, "or it is still starting: waiting until ") != 1 {
		t.Errorf("it says %q, want once until when it waits", got)
	}
}

func TestNamedClustersThatNeverAnswer(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler func(net.Conn)
		waited  bool
		want    string
	}{
		{"hangs up", hangUp, true, "it was waited for until "},
		{"HTTP", says("HTTP/1.1 400 Bad Request\r\n\r\n"), false, "no Kafka"},
		{"TLS", says("\x15\x03\x03\x00\x02\x02\x50"), false, "wants TLS"},
	} {
		t.Run(test.name, func(t *testing.T) {
			said := new(log)
			o := Options{Log: said, Brokers: 1}
			err := o.awaitOne(t.Context(), []string{front(t, test.handler)}, 50*time.Millisecond)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if waited := said.text.Len() > 0; waited != test.waited {
				t.Errorf("waited: %v, want %v; it says %q", waited, test.waited, said.text.String())
			}
		})
	}
}
