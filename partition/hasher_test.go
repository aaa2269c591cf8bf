package partition

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"math"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The vectors come from the Java client itself: a single differing bit would move keys to other partitions when a program is
// ported.
func TestMurmur2IsThatOfJava(t *testing.T) {
	f, err := os.Open("testdata/murmur2.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	counts := []int32{1, 2, 3, 6, 17, 100, 1000, 10007, math.MaxInt32}
	keys := 0
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if strings.HasPrefix(sc.Text(), "#") {
			continue
		}
		fields := strings.Fields(sc.Text())
		if len(fields) != 2+len(counts) {
			t.Fatalf("line with %d fields: %s", len(fields), sc.Text())
		}
		key, err := hex.DecodeString(strings.TrimPrefix(fields[0], "-"))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(Murmur2(key)); got != fields[1] {
			t.Errorf("Murmur2(%x) = %s, want %s", key, got, fields[1])
		}
		for i, n := range counts {
			if got := fmt.Sprint(JavaMurmur2(key, n)); got != fields[2+i] {
				t.Errorf("JavaMurmur2(%x, %d) = %s, want %s", key, n, got, fields[2+i])
			}
		}
		keys++
	}
	if keys < 280 {
		t.Errorf("only %d keys in testdata/murmur2.txt", keys)
	}
}

// testdata/clients.txt holds what other clients' own tests expect of their partitioners.
func TestHashersAreThoseOfOtherClients(t *testing.T) {
	partitioners := map[string]Partitioner{
		"librdkafka/consistent":               Consistent(CRC32),
		"librdkafka/consistent_random":        Default(CRC32NonEmpty),
		"librdkafka/murmur2":                  Consistent(JavaMurmur2),
		"librdkafka/murmur2_random":           Default(JavaMurmur2),
		"librdkafka/fnv1a":                    Consistent(FNV1a),
		"librdkafka/fnv1a_random":             Default(FNV1a),
		"sarama/NewConsistentCRCHash":         Default(CRC32),
		"kafka-go/Hash":                       Default(FNV1a),
		"kafka-go/ReferenceHash":              Default(FNV1aReference),
		"kafka-go/CRC32Balancer":              Default(CRC32NonEmpty),
		"kafka-go/Murmur2Balancer":            Default(JavaMurmur2),
		"kafka-go/Murmur2Balancer-consistent": Consistent(JavaMurmur2),
	}
	unused := make(map[string]bool)
	for name := range partitioners {
		unused[name] = true
	}
	data, err := os.ReadFile("testdata/clients.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		var name, quoted string
		var n, want int32
		if _, err := fmt.Sscanf(line, "%s %d %d %q", &name, &n, &want, &quoted); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		delete(unused, name)
		key := []byte(quoted)
		if quoted == "<null>" {
			key = nil
		}
		got, err := partitioners[name].Partition(Record{Key: key}, &Topic{Name: "t", Partitions: n})
		if got != want || err != nil {
			t.Errorf("%s: key %q of %d partitions: got %d, %v, want %d", name, quoted, n, got, err, want)
		}
	}
	for name := range unused {
		t.Errorf("no vector for %s", name)
	}
}

// The same hashes worked out another way: with the standard library's sums and exact integers.
func TestHashersAgainstExactArithmetic(t *testing.T) {
	keys := []string{"", "a", "20", "1468509572224" /* its FNV-1a sum is 1<<31 */, "SheetJS", "\xff\xff\xff\xff\xff", "日本語"}
	for i := range 2000 {
		keys = append(keys, "key-"+strconv.Itoa(i*i))
	}
	mod := func(x int64, n int32) int32 { // truncated, as C, Java and Go divide
		return int32(new(big.Int).Rem(big.NewInt(x), big.NewInt(int64(n))).Int64())
	}
	for _, key := range keys {
		for _, n := range []int32{1, 2, 7, 16, 17, 50, 1000, math.MaxInt32} {
			sum := fnv.New32a()
			sum.Write([]byte(key))
			signed := int64(int32(sum.Sum32()))
			if got, want := FNV1a([]byte(key), n), mod(signed, n); got != want && got != -want || got < 0 {
				t.Errorf("FNV1a(%q, %d) = %d, want the absolute value of %d", key, n, got, want)
			}
			if got, want := FNV1aReference([]byte(key), n), mod(signed&math.MaxInt32, n); got != want {
				t.Errorf("FNV1aReference(%q, %d) = %d, want %d", key, n, got, want)
			}
			if got, want := CRC32([]byte(key), n), mod(int64(crc32.ChecksumIEEE([]byte(key))), n); got != want {
				t.Errorf("CRC32(%q, %d) = %d, want %d", key, n, got, want)
			}
		}
	}
}

func BenchmarkJavaMurmur2Of16Bytes(b *testing.B) {
	p := Default(JavaMurmur2)
	topic := &Topic{Name: "t", Partitions: 12}
	key := []byte("customer-0123456")
	for b.Loop() {
		p.Partition(Record{Key: key}, topic)
	}
}
