package partition_test

import (
	"bytes"
	"fmt"

	"github.com/epistle-kafka/epistle/partition"
)

// A partitioner of one's own: customers that matter have partition 0 to themselves. A program sets it as
// producer.Config.Partitioner.
func ExampleFunc() {
	p := partition.Func(func(r partition.Record, t *partition.Topic) (int32, error) {
		switch {
		case r.Key == nil:
			return partition.Any, nil // the producer chooses
		case t.Partitions == 1 || bytes.HasPrefix(r.Key, []byte("vip-")):
			return 0, nil
		}
		return 1 + partition.JavaMurmur2(r.Key, t.Partitions-1), nil
	})
	orders := &partition.Topic{Name: "orders", Partitions: 4}
	fmt.Println(p.Partition(partition.Record{Key: []byte("vip-7")}, orders))
	fmt.Println(p.Partition(partition.Record{Key: []byte("customer-7")}, orders))
	fmt.Println(p.Partition(partition.Record{Value: []byte("without a key")}, orders))
	// Output:
	// 0 <nil>
	// 2 <nil>
	// -1 <nil>
}

// Keys go where they went with sarama's default partitioner.
func ExampleDefault() {
	p := partition.Default(partition.FNV1a)
	orders := &partition.Topic{Name: "orders", Partitions: 4}
	fmt.Println(p.Partition(partition.Record{Key: []byte("customer-7")}, orders))
	// Output: 1 <nil>
}
