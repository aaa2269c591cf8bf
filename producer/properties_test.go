package producer

import (
	"crypto/tls"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/partition"
)

// A Java service's file is taken as it is.
func TestJavaFileIsReadUnchanged(t *testing.T) {
	file, err := os.Open("testdata/producer.properties")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, notices, err := FromProperties(file)
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig("kafka-1.example.com:9093", "kafka-2.example.com:9093", "kafka-3.example.com:9093")
	want.ClientID = "orders-übersicht"
	want.DeliveryTimeout = 90 * time.Second
	want.RequestTimeout = 20 * time.Second
	want.Linger = 20 * time.Millisecond
	want.BatchSize = 131072
	want.BufferMemory = 64 << 20
	want.Compression = Zstd
	want.ZstdLevel = 5
	want.MaxBlock = got.MaxBlock
	if got.MaxBlock < 290*365*24*time.Hour {
		t.Errorf("MaxBlock: got %v, want about 292 years for Long.MAX_VALUE", got.MaxBlock)
	}
	if got.TLS == nil || got.TLS.RootCAs == nil || got.TLS.MinVersion != tls.VersionTLS12 || got.TLS.MaxVersion != tls.VersionTLS12 || got.TLS.InsecureSkipVerify {
		t.Errorf("TLS: got %+v, want roots from the file, TLS 1.2 alone, names checked", got.TLS)
	}
	want.TLS, want.TLSFiles = got.TLS, &TLSFiles{TrustStore: "testdata/ca.pem"}
	if diff := differing(got, want); len(diff) > 0 {
		t.Errorf("differs in %v:\n got %+v\nwant %+v", diff, got, want)
	}
	var said []string
	for _, n := range notices {
		said = append(said, n.Key)
	}
	if want := []string{"key.serializer", "value.serializer", "metrics.recording.level"}; !slices.Equal(said, want) {
		t.Errorf("notices: got %v, want of %v", notices, want)
	}
}

func TestMapAndFileAreAlike(t *testing.T) {
	c, notices := fromMap(t, with("linger.ms", "7", "partitioner.class", "org.apache.kafka.clients.producer.RoundRobinPartitioner"))
	if c.Linger != 7*time.Millisecond || len(notices) != 0 {
		t.Errorf("got linger %v, notices %v, want 7ms and none", c.Linger, notices)
	}
	topic := &partition.Topic{Name: "t", Partitions: 2, Available: []int32{0, 1}}
	var turns []int32
	for range 4 {
		p, err := c.Partitioner.Partition(partition.Record{Key: []byte("k")}, topic)
		if err != nil {
			t.Fatal(err)
		}
		turns = append(turns, p)
	}
	if want := []int32{0, 1, 0, 1}; !slices.Equal(turns, want) {
		t.Errorf("round robin: got %v, want %v", turns, want)
	}
	_, _, err := FromMap(map[string]string{"linger.ms": "seven"})
	if err == nil || strings.Contains(err.Error(), "line") || !strings.Contains(err.Error(), "bootstrap.servers") {
		t.Errorf("got %v, want both problems, without lines", err)
	}
}

func TestBootstrapAsJavaWritesIt(t *testing.T) {
	c, _ := fromMap(t, map[string]string{"bootstrap.servers": "PLAINTEXT://a:1, ::1:9092 ,[::1]:9093,b:2"})
	if want := []string{"a:1", "[::1]:9092", "[::1]:9093", "b:2"}; !slices.Equal(c.BootstrapServers, want) {
		t.Errorf("got %q, want %q", c.BootstrapServers, want)
	}
}
