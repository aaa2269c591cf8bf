package partition

import "testing"

// BenchmarkPartition is the choice of one record's partition.
func BenchmarkPartition(b *testing.B) {
	topic := &Topic{Name: "t", Partitions: 12}
	for i := range topic.Partitions {
		topic.Available = append(topic.Available, i)
	}
	p := Default(JavaMurmur2)

	b.Run("key of 16 bytes", func(b *testing.B) {
		key := []byte("user-00000012345")
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Partition(Record{Key: key}, topic); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("no key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if n, err := p.Partition(Record{}, topic); err != nil || n != Any {
				b.Fatal(n, err)
			}
		}
	})
}
