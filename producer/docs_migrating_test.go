package producer_test

import (
	"context"
	"errors"
	"log"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
)

// The Go of docs/migrating.md, block by block. Whatever a block has, one of these functions has it as it is there.

func fromJava() error {
	file, err := os.Open("producer.properties")
	if err != nil {
		return err
	}
	defer file.Close()
	cfg, notices, err := producer.FromProperties(file)
	if err != nil {
		return err // all mistakes, each with its line
	}
	for _, n := range notices {
		log.Print(n)
	}
	p, err := producer.New(cfg)
	if err != nil {
		return err
	}
	return p.Close(context.Background())
}

func withACallback(ctx context.Context, p *producer.Producer, customer string, order []byte) {
	p.SendFunc(ctx, producer.Record{Topic: "orders", Key: []byte(customer), Value: order}, func(md producer.RecordMetadata, err error) {
		if err != nil {
			log.Printf("not delivered: %v; maybe in the log: %v", err, producer.MayBeWritten(err))
		}
	})
}

func inATransaction(ctx context.Context, p *producer.Producer, record producer.Record, offsets map[producer.TopicPartition]producer.OffsetAndMetadata, group producer.ConsumerGroupMetadata) (err error) {
	err = p.Transact(ctx, func(tx *producer.Tx) error {
		tx.Send(ctx, record)
		return tx.SendOffsets(ctx, offsets, group)
	})
	if errors.Is(err, producer.ErrFenced) {
		return p.Close(ctx) // another instance has this id now
	}
	return err
}

func fromSarama(ctx context.Context, customer string, order []byte) error {
	cfg := producer.DefaultConfig("localhost:9092")
	cfg.Compression = producer.Zstd
	cfg.Linger = 10 * time.Millisecond
	cfg.Partitioner = partition.Default(partition.FNV1a) // sarama's default: keys stay where they are
	p, err := producer.New(cfg)
	if err != nil {
		return err
	}
	md, err := p.SendSync(ctx, producer.Record{Topic: "orders", Key: []byte(customer), Value: order})
	if err != nil {
		return err
	}
	log.Print(md.Partition, md.Offset)
	return p.Close(ctx)
}

func fromSaramasChannels(ctx context.Context, p *producer.Producer, order []byte) {
	p.SendFunc(ctx, producer.Record{Topic: "orders", Value: order}, func(_ producer.RecordMetadata, err error) {
		if err != nil {
			log.Print(err)
		}
	})
}

func librdkafkas(file *os.File) (producer.Config, error) {
	cfg, notices, err := producer.FromProperties(file, producer.LibrdkafkaNames())
	for _, n := range notices {
		log.Print(n)
	}
	return cfg, err
}

func whichPartition(key []byte) (int32, error) {
	chooser := partition.Default(partition.FNV1a) // what the table names; for nil it is partition.JavaMurmur2
	n, err := chooser.Partition(partition.Record{Key: key}, &partition.Topic{Name: "orders", Partitions: 12})
	return n, err
}

// goBlock finds the blocks of Go of a page.
var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// indented matches what lines begin with in a function.
var indented = regexp.MustCompile(`(?m)^\t`)

// Every block of Go on the page is code that compiles; those that begin with sarama's name are that of a test in module bench.
func TestSnippetsOfMigrating(t *testing.T) {
	page, err := os.ReadFile("../docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	ours := unindented(t, "docs_migrating_test.go")
	saramas := unindented(t, "../bench/driver/migrating_test.go")
	blocks := goBlock.FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 8 {
		t.Fatalf("the page has %d blocks of Go", len(blocks))
	}
	for _, block := range blocks {
		text, isSaramas := strings.CutPrefix(block[1], "// sarama\n")
		code, where := ours, "docs_migrating_test.go"
		if isSaramas {
			code, where = saramas, "bench/driver/migrating_test.go"
		}
		if !strings.Contains(code, text) {
			t.Errorf("%s does not have\n%s", where, text)
		}
	}
}

func unindented(t *testing.T, file string) string {
	t.Helper()
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return indented.ReplaceAllString(string(code), "")
}

// What the page promises works.
func TestTheCodeOfMigrating(t *testing.T) {
	c := brokertest.New(t, brokertest.Topic("orders", 12))
	file := t.TempDir() + "/producer.properties"
	text := "bootstrap.servers=" + strings.Join(c.Bootstrap(), ",") + "\nlinger.ms=1\nkey.serializer=org.apache.kafka.common.serialization.StringSerializer\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cfg, err := librdkafkas(f)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Partitioner = partition.Default(partition.FNV1a)
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	withACallback(ctx, p, "customer-7", []byte("12.50"))
	fromSaramasChannels(ctx, p, []byte("without a key"))
	if err := p.Close(ctx); err != nil {
		t.Fatal(err)
	}
	want, err := whichPartition([]byte("customer-7"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Records("orders", want); len(got) == 0 || string(got[0].Key) != "customer-7" {
		t.Errorf("the key's record is not in partition %d, which the page says it will be in", want)
	}

	t.Chdir(t.TempDir())
	if err := fromJava(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	once, err := producer.New(producer.ExactlyOnce("orders-1", c.Bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	defer once.Close(ctx)
	offsets := map[producer.TopicPartition]producer.OffsetAndMetadata{{Topic: "orders", Partition: 1}: {Offset: 5}}
	group := producer.ConsumerGroupMetadata{GroupID: "shipping"}
	if err := inATransaction(ctx, once, producer.Record{Topic: "orders", Value: []byte("all or nothing")}, offsets, group); err != nil {
		t.Error(err)
	}
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if err := fromSarama(short, "customer-7", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a broker: %v", err)
	}
}
