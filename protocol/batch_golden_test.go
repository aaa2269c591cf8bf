package protocol

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goldenBatches is a file of testdata/batches: bytes that the Java client's own classes wrote, and what they read out of them
// again.
type goldenBatches struct {
	Hex     string
	Batches []goldenBatch
}

type goldenBatch struct {
	Size                         int
	BaseOffset, LastOffset       int64
	LeaderEpoch                  int32
	CRC                          uint32
	Codec                        string
	LogAppendTime, Transactional bool
	Control, DeleteHorizon       bool
	BaseTimestamp, MaxTimestamp  int64
	ProducerID                   int64
	ProducerEpoch                int16
	BaseSequence                 int32
	Records                      []goldenRecord
}

type goldenRecord struct {
	Offset, Timestamp int64
	Key, Value        *string // hexadecimal, or sha256: and a sum
	Headers           []struct{ Key, Value *string }
}

func TestBatchesOfTheJavaClient(t *testing.T) {
	files, err := filepath.Glob("testdata/batches/*.json")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d golden files, error %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var golden goldenBatches
			if err := json.Unmarshal(text, &golden); err != nil {
				t.Fatal(err)
			}
			rest, err := hex.DecodeString(golden.Hex)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range golden.Batches {
				var batch []byte
				if batch, rest, err = SplitBatch(rest); err != nil {
					t.Fatal(err)
				}
				checkGoldenBatch(t, batch, want)
				checkSameEncoding(t, batch)
			}
			if len(rest) > 0 {
				t.Errorf("%d bytes behind the last batch", len(rest))
			}
		})
	}
}

func checkGoldenBatch(t *testing.T, batch []byte, want goldenBatch) {
	t.Helper()
	h, records, err := DecodeBatch(batch, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != len(want.Records) {
		t.Fatalf("%d records, want %d", len(records), len(want.Records))
	}
	got := goldenBatch{
		Size: len(batch), BaseOffset: h.BaseOffset, LastOffset: h.BaseOffset + int64(h.LastOffsetDelta),
		LeaderEpoch: h.PartitionLeaderEpoch, CRC: h.CRC, Codec: h.Codec.String(),
		LogAppendTime: h.LogAppendTime, Transactional: h.Transactional, Control: h.Control, DeleteHorizon: h.DeleteHorizon,
		BaseTimestamp: h.BaseTimestamp, MaxTimestamp: h.MaxTimestamp,
		ProducerID: h.ProducerID, ProducerEpoch: h.ProducerEpoch, BaseSequence: h.BaseSequence,
	}
	for i := range records {
		r := &records[i]
		g := goldenRecord{Offset: h.BaseOffset + int64(r.OffsetDelta), Timestamp: h.Timestamp(r)}
		g.Key, g.Value = quote(r.Key, want.Records[i].Key), quote(r.Value, want.Records[i].Value)
		g.Headers = want.Records[i].Headers[:0:0]
		for j, header := range r.Headers {
			if j < len(want.Records[i].Headers) {
				w := want.Records[i].Headers[j]
				g.Headers = append(g.Headers, struct{ Key, Value *string }{quote([]byte(header.Key), w.Key), quote(header.Value, w.Value)})
			}
		}
		if len(r.Headers) != len(want.Records[i].Headers) {
			t.Errorf("record %d has %d headers, want %d", i, len(r.Headers), len(want.Records[i].Headers))
		}
		got.Records = append(got.Records, g)
	}
	if got, want := asJSON(t, got), asJSON(t, want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if h.Control {
		typ, err := ParseControlType(records[0].Key)
		if name := strings.TrimSuffix(filepath.Base(t.Name()), ".json"); err != nil || typ.String() != name && name != "several" {
			t.Errorf("control type %v, error %v, in %s", typ, err, name)
		}
	}
}

// checkSameEncoding takes a batch apart and puts it together again: header and records must be what Java wrote, byte for byte.
func checkSameEncoding(t *testing.T, batch []byte) {
	t.Helper()
	h, records, err := DecodeBatch(batch, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	header := make([]byte, BatchHeaderSize)
	h.Put(header)
	if want := batch[:BatchHeaderSize]; !bytes.Equal(header, want) {
		t.Errorf("header %x, want %x", header, want)
	}
	want, err := Decompress(nil, h.Codec, batch[BatchHeaderSize:], 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var raw []byte
	for i := range records {
		raw = records[i].Append(raw, records[i].BodySize())
	}
	if !bytes.Equal(raw, want) {
		t.Errorf("records %x\nwant %x", raw, want)
	}
}

// quote writes b as the golden file does that has want in its place.
func quote(b []byte, want *string) *string {
	if b == nil {
		return nil
	}
	s := hex.EncodeToString(b)
	if want != nil && strings.HasPrefix(*want, "sha256:") {
		sum := sha256.Sum256(b)
		s = "sha256:" + hex.EncodeToString(sum[:])
	}
	return &s
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
