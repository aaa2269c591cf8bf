package producer_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// The README and the package's documentation name the oldest Kafka whose brokers speak a version of Produce in common with us, and
// the versions that the tests of integration run.
func TestTheVersionsOfKafkaThatAreNamed(t *testing.T) {
	api, _ := protocol.APIByKey(brokertest.Produce)
	oldest := map[int16]string{3: "0.11", 5: "1.0", 6: "2.0", 7: "2.1"}[api.Min]
	script, err := os.ReadFile("../scripts/integration.sh")
	if err != nil {
		t.Fatal(err)
	}
	var run []string
	for _, found := range regexp.MustCompile(`suite (?:docker|jvm) ([0-9.]+)`).FindAllStringSubmatch(string(script), -1) {
		run = append(run, found[1])
	}
	slices.Sort(run)
	run = slices.Compact(run)
	slices.Reverse(run)
	if len(run) < 2 {
		t.Fatalf("integration.sh runs the versions %q", run)
	}
	last := len(run) - 1
	want := fmt.Sprintf("%%s works with brokers of Apache Kafka %s and later; zstd needs 2.1. The tests run on real brokers of %s and %s;",
		oldest, strings.Join(run[:last], ", "), run[last])
	for file, subject := range map[string]string{"../README.md": "It", "doc.go": "The producer"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Join(strings.Fields(strings.ReplaceAll(string(text), "\n//", "\n")), " ")
		if sentence := fmt.Sprintf(want, subject); !strings.Contains(words, sentence) {
			t.Errorf("%s lacks: %s", file, sentence)
		}
	}
}

// kafka0_11 has the newest versions of requests that Apache Kafka 0.11 answers.
var kafka0_11 = map[int16]int16{
	brokertest.Produce: 3, brokertest.Metadata: 4, brokertest.FindCoordinator: 1, brokertest.ApiVersions: 1, brokertest.InitProducerID: 0,
	brokertest.AddPartitionsToTxn: 0, brokertest.AddOffsetsToTxn: 0, brokertest.EndTxn: 0, brokertest.TxnOffsetCommit: 0,
}

// With what the oldest brokers offer, records and transactions arrive.
func TestTheOldestKafka(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Kafka3_9())
		c.On(brokertest.ApiVersions).Always().Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
			r := resp.(*protocol.ApiVersionsResponse)
			r.APIKeys = slices.DeleteFunc(r.APIKeys, func(k protocol.ApiVersion) bool { _, known := kafka0_11[k.APIKey]; return !known })
			for i := range r.APIKeys {
				r.APIKeys[i].MinVersion, r.APIKeys[i].MaxVersion = 0, kafka0_11[r.APIKeys[i].APIKey]
			}
		}))
		p := start(t, c, func(cfg *producer.Config) { cfg.Compression = producer.LZ4 })
		send(t, p, record("plain"))
		tx := once(t, c, "tx")
		err := tx.Transact(t.Context(), func(tx *producer.Tx) error {
			tx.Send(t.Context(), record("in a transaction"))
			place := map[producer.TopicPartition]producer.OffsetAndMetadata{{Topic: "t"}: {Offset: 7}}
			return tx.SendOffsets(t.Context(), place, producer.ConsumerGroupMetadata{GroupID: "billing"})
		})
		if err != nil || visibleIn(c, "t", 0) != "plain in a transaction" {
			t.Errorf("%v, and readers see %q", err, visibleIn(c, "t", 0))
		}
	})
}
