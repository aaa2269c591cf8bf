package partition

import (
	"errors"
	"slices"
	"testing"
)

func topicOf(partitions int32, available ...int32) *Topic {
	return &Topic{Name: "t", Partitions: partitions, Available: available}
}

func upTo(n int32) []int32 {
	var all []int32
	for p := range n {
		all = append(all, p)
	}
	return all
}

func answers(t *testing.T, p Partitioner, r Record, topic *Topic, n int) []int32 {
	t.Helper()
	var got []int32
	for range n {
		partition, err := p.Partition(r, topic)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, partition)
	}
	return got
}

// Null and empty are different keys: only a record without a key is left to Sticky.
func TestWhichRecordsAreLeftToSticky(t *testing.T) {
	tests := []struct {
		name        string
		partitioner Partitioner
		null, empty int32
	}{
		{"Default(JavaMurmur2)", Default(JavaMurmur2), Any, 11},
		{"Default(CRC32)", Default(CRC32), Any, 0},
		{"Default(CRC32NonEmpty)", Default(CRC32NonEmpty), Any, Any},
		{"Consistent(JavaMurmur2)", Consistent(JavaMurmur2), 11, 11},
		{"Consistent(CRC32)", Consistent(CRC32), 0, 0},
		{"IgnoreKeys", IgnoreKeys(), Any, Any},
	}
	topic := topicOf(17)
	for _, test := range tests {
		if got := answers(t, test.partitioner, Record{}, topic, 1)[0]; got != test.null {
			t.Errorf("%s: null key: got %d, want %d", test.name, got, test.null)
		}
		if got := answers(t, test.partitioner, Record{Key: []byte{}}, topic, 1)[0]; got != test.empty {
			t.Errorf("%s: empty key: got %d, want %d", test.name, got, test.empty)
		}
	}
	if got := answers(t, IgnoreKeys(), Record{Key: []byte("k")}, topic, 1)[0]; got != Any {
		t.Errorf("IgnoreKeys: got %d, want Any", got)
	}
}

// Keys stay where they are when leaders come and go: they are hashed over all partitions.
func TestKeysDoNotMoveWithLeaders(t *testing.T) {
	p := Default(JavaMurmur2)
	key := Record{Key: []byte("a")}
	want := answers(t, p, key, topicOf(100, upTo(100)...), 1)[0]
	if got := answers(t, p, key, topicOf(100, 1, 2), 1)[0]; got != want {
		t.Errorf("key moved from %d to %d when partitions lost their leaders", want, got)
	}
}

// Each topic has its turns: one counter for all would skip partitions of topics that are sent to in step.
func TestRoundRobinTakesTurnsInEachTopic(t *testing.T) {
	p := RoundRobin()
	a := &Topic{Name: "a", Partitions: 3, Available: []int32{0, 1, 2}}
	b := &Topic{Name: "b", Partitions: 2, Available: []int32{0, 1}}
	var gotA, gotB []int32
	for range 6 {
		gotA = append(gotA, answers(t, p, Record{Key: []byte("same")}, a, 1)...)
		gotB = append(gotB, answers(t, p, Record{}, b, 1)...)
	}
	if want := []int32{0, 1, 2, 0, 1, 2}; !slices.Equal(gotA, want) {
		t.Errorf("topic a: got %v, want %v", gotA, want)
	}
	if want := []int32{0, 1, 0, 1, 0, 1}; !slices.Equal(gotB, want) {
		t.Errorf("topic b: got %v, want %v", gotB, want)
	}
}

func TestRoundRobinAvoidsPartitionsWithoutLeader(t *testing.T) {
	p := RoundRobin()
	if got, want := answers(t, p, Record{}, topicOf(4, 1, 3), 4), []int32{1, 3, 1, 3}; !slices.Equal(got, want) {
		t.Errorf("two with a leader: got %v, want %v", got, want)
	}
	if got, want := answers(t, p, Record{}, topicOf(4), 4), []int32{0, 1, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("none with a leader: got %v, want %v", got, want)
	}
}

func TestFuncIsAPartitioner(t *testing.T) {
	odd := errors.New("odd")
	var p Partitioner = Func(func(r Record, t *Topic) (int32, error) {
		if len(r.Value)%2 == 1 {
			return 0, odd
		}
		return t.Partitions - 1, nil
	})
	if got, err := p.Partition(Record{Value: []byte("ab")}, topicOf(5)); got != 4 || err != nil {
		t.Errorf("got %d, %v, want 4", got, err)
	}
	if _, err := p.Partition(Record{Value: []byte("a")}, topicOf(5)); err != odd {
		t.Errorf("got %v, want %v", err, odd)
	}
}

func TestPartitionersAllocateNothing(t *testing.T) {
	topic := topicOf(3, 0, 1, 2)
	key := []byte("customer-0123456")
	for name, p := range map[string]Partitioner{"default": Default(JavaMurmur2), "round robin": RoundRobin(), "FNV-1a": Default(FNV1a), "CRC-32": Default(CRC32)} {
		p.Partition(Record{Key: key}, topic) // round robin makes the topic's counter
		if got := testing.AllocsPerRun(1000, func() {
			p.Partition(Record{Key: key}, topic)
			p.Partition(Record{}, topic)
		}); got != 0 {
			t.Errorf("%s: %v allocations a record, want 0", name, got)
		}
	}
}
