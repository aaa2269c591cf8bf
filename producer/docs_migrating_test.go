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

func fromFranzGo(ctx context.Context, server, customer string, order []byte) error {
	cfg := producer.DefaultConfig(server)
	cfg.Compression = producer.Zstd // for franz-go's default: producer.Snappy
	p, err := producer.New(cfg)     // keys stay where they are
	if err != nil {
		return err
	}
	p.SendFunc(ctx, producer.Record{Topic: "orders", Key: []byte(customer), Value: order}, func(_ producer.RecordMetadata, err error) {
		if err != nil {
			log.Print(err)
		}
	})
	return p.Close(ctx) // delivers what is left
}

func fromKafkaGo(ctx context.Context, server, customer string, order []byte) error {
	cfg := producer.DefaultConfig(server)
	cfg.Compression = producer.Zstd
	cfg.Partitioner = partition.Default(partition.FNV1a) // for kafka-go's Hash: keys stay where they are
	p, err := producer.New(cfg)
	if err != nil {
		return err
	}
	orders := p.Topic("orders")
	if _, err := orders.SendSync(ctx, []byte(customer), order); err != nil {
		return err
	}
	return p.Close(ctx)
}

func fromConfluent(ctx context.Context, server, customer string, order []byte) error {
	cfg, notices, err := producer.FromMap(map[string]string{
		"bootstrap.servers":  server,
		"enable.idempotence": "true",
		"compression.type":   "zstd",
	}, producer.LibrdkafkaNames())
	if err != nil {
		return err
	}
	for _, n := range notices {
		log.Print(n)
	}
	cfg.Partitioner = partition.Default(partition.CRC32NonEmpty) // librdkafka's default: keys stay where they are
	p, err := producer.New(cfg)
	if err != nil {
		return err
	}
	p.SendFunc(ctx, producer.Record{Topic: "orders", Key: []byte(customer), Value: order}, func(_ producer.RecordMetadata, err error) {
		if err != nil {
			log.Print(err)
		}
	})
	return p.Close(ctx) // delivers what is left
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

// others begin blocks of other clients: each is a line with the client's name. Tests in module bench have the code.
var others = map[string]string{
	"// sarama\n":             "../bench/driver/migrating_test.go",
	"// franz-go\n":           "../bench/driver/migrating_test.go",
	"// kafka-go\n":           "../bench/driver/migrating_test.go",
	"// confluent-kafka-go\n": "../bench/confluent/migrating_test.go",
}

// ofAnother cuts off the line that says of which other client a block is. For a block of ours where is "".
func ofAnother(block string) (code, where string) {
	for head, file := range others {
		if code, ok := strings.CutPrefix(block, head); ok {
			return code, file
		}
	}
	return block, ""
}

// Every block of Go on the page is code that compiles. Each other client has one at least.
func TestSnippetsOfMigrating(t *testing.T) {
	page, err := os.ReadFile("../docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := goBlock.FindAllStringSubmatch(string(page), -1)
	shown := map[string]bool{}
	for _, block := range blocks {
		code, where := ofAnother(block[1])
		shown[strings.TrimSuffix(block[1], code)] = true
		if where == "" {
			where = "docs_migrating_test.go"
		}
		if !strings.Contains(unindented(t, where), code) {
			t.Errorf("%s does not have\n%s", where, code)
		}
	}
	for head := range others {
		if !shown[head] {
			t.Errorf("the page has no block that begins with %q", head)
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

// The code of ours that stands beside other clients' sends, and to the partition that the page's table names.
func TestWhereTheCodeOfMigratingSends(t *testing.T) {
	for _, from := range []struct {
		name string
		send func(ctx context.Context, server, customer string, order []byte) error
		hash partition.KeyHasher
	}{
		{"franz-go", fromFranzGo, partition.JavaMurmur2},
		{"kafka-go", fromKafkaGo, partition.FNV1a},
		{"confluent-kafka-go", fromConfluent, partition.CRC32NonEmpty},
	} {
		t.Run(from.name, func(t *testing.T) {
			c := brokertest.New(t, brokertest.Topic("orders", 12))
			if err := from.send(t.Context(), c.Bootstrap()[0], "customer-7", []byte("12.50")); err != nil {
				t.Fatal(err)
			}
			want, err := partition.Default(from.hash).Partition(partition.Record{Key: []byte("customer-7")}, &partition.Topic{Name: "orders", Partitions: 12})
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Records("orders", want); len(got) != 1 || string(got[0].Key) != "customer-7" || string(got[0].Value) != "12.50" {
				t.Errorf("partition %d has %v, want the record", want, got)
			}
		})
	}
}
