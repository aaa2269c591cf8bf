package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// unhex reads bytes as a person writes them, in groups.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// An error says which message in which version is broken, where, and how.
func TestErrorTexts(t *testing.T) {
	for _, test := range []struct {
		response Response
		version  int16
		frame    string
		want     string
	}{
		{new(InitProducerIDResponse), 3, "00000001 00 00000000 0000 0102030405",
			"InitProducerId v3 response: truncated at byte 11: want 8 more, have 5"},
		{new(InitProducerIDResponse), 1, "00000001 00000000 0000 0000000000000001 0002 ffff",
			"InitProducerId v1 response: 2 bytes too many from byte 20 on"},
		{new(SaslHandshakeResponse), 1, "00000001 0000 00000001 fffe",
			"SaslHandshake v1 response: impossible string length -2 at byte 10"},
		{new(SaslHandshakeResponse), 1, "00000001 0000 00000001 ffff",
			"SaslHandshake v1 response: null at byte 10 where a value is needed"},
		{new(SaslHandshakeResponse), 1, "00000001 0000 ffffffff",
			"SaslHandshake v1 response: null at byte 6 where a value is needed"},
		{new(SaslHandshakeResponse), 1, "00000001 0000 fffffffe",
			"SaslHandshake v1 response: impossible length -2 at byte 6"},
		{new(MetadataResponse), 0, "00000001 00000003 000000000000000000000000000000000000",
			"Metadata v0 response: array of 3 elements at byte 4: they take at least 10 bytes each, and 18 are left"},
		{new(MetadataResponse), 9, "00000001 00 00000000 ffffffffff7f",
			"Metadata v9 response: variable-length number at byte 9 exceeds 32 bits"},
		{new(MetadataResponse), 9, "00000001 00 00000000 ffffffff7f",
			"Metadata v9 response: variable-length number at byte 9 exceeds 32 bits"},
		{new(SaslAuthenticateResponse), 2, "00000001 00 0000 818002",
			"SaslAuthenticate v2 response: impossible string length 32768 at byte 7"},
		{new(MetadataResponse), 9, "00000001 00 00000000 ffff",
			"Metadata v9 response: truncated at byte 9: variable-length number without an end"},
		{new(SaslAuthenticateResponse), 2, "00000001 00 0000 00 01 0000000000000000 01 05 09 ffff",
			"SaslAuthenticate v2 response: truncated at byte 20: tagged field 5 wants 9 more, have 2"},
		{new(ApiVersionsResponse), 3, "00000001 0000 01 00000000 01 01 09 0000000000000001 00",
			"ApiVersions v3 response: tagged field 1 leaves 1 bytes from byte 22 on"},
		{new(ApiVersionsResponse), 3, "00000001 0000 01 00000000 01 01 07 00000000000000 ff",
			"ApiVersions v3 response: truncated at byte 14: want 8 more, have 7"},
	} {
		_, err := DecodeResponse(unhex(t, test.frame), test.version, test.response)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s:\ngot  %v\nwant %s", test.frame, err, test.want)
		}
	}
}

// Whatever length a hostile or broken peer puts wherever in a message, it makes us allocate no more than a small multiple of
// what it sent.
func TestHostileLengthsDoNotAllocate(t *testing.T) {
	const perByte, perFrame = 24, 1024
	lengths := [][]byte{
		{0x7f, 0xff, 0xff, 0xff},       // 2147483647
		{0x00, 0x0f, 0x42, 0x40},       // 1000000
		{0xff, 0xff, 0xff, 0xff, 0x0f}, // compact 4294967294
		{0xc1, 0x84, 0x3d},             // compact 1000000
		{0x7f, 0xff},                   // 32767
	}
	everyMessage(t, func(t *testing.T, version int16, newMessage func() Message) {
		message := filler{Rand: rand.New(rand.NewPCG(5, uint64(version))), full: true, most: 1}.message(newMessage)
		frame := encodeFrame(version, message)
		hostile := make([]byte, len(frame))
		target := newMessage()
		var limit uint64
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, length := range lengths {
			for at := 8; at+len(length) <= len(frame); at++ {
				copy(hostile, frame)
				copy(hostile[at:], length)
				decodeFrame(hostile, version, target) // an error, or another message
				limit += uint64(perByte*len(frame) + perFrame)
			}
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > limit {
			t.Errorf("got %d bytes allocated, want at most %d", got, limit)
		}
	})
}

// Kafka takes a million elements in an array and ten thousand tagged fields in a structure. So do we, and not more.
func TestLimits(t *testing.T) {
	array := func(n int) []byte {
		response := GetTelemetrySubscriptionsResponse{RequestedMetrics: make([]string, n)}
		return encodeFrame(0, &response)
	}
	tags := func(n int) []byte {
		frame := unhex(t, "00000001 00 00000000 0000")
		frame = binary.AppendUvarint(frame, uint64(n))
		for tag := range n {
			frame = append(binary.AppendUvarint(frame, uint64(tag)), 0)
		}
		return frame
	}
	for _, test := range []struct {
		what     string
		frame    []byte
		response Response
		want     string
	}{
		{"1,000,000 elements", array(1_000_000), new(GetTelemetrySubscriptionsResponse), ""},
		{"1,000,001 elements", array(1_000_001), new(GetTelemetrySubscriptionsResponse), "array of 1000001 elements at byte 41: at most 1000000 are taken"},
		{"10,000 tagged fields", tags(10_000), new(PushTelemetryResponse), ""},
		{"10,001 tagged fields", tags(10_001), new(PushTelemetryResponse), "10001 tagged fields at byte 11: at most 10000 are taken"},
	} {
		_, err := DecodeResponse(test.frame, 0, test.response)
		if test.want == "" && err != nil {
			t.Errorf("%s: got %v, want no error", test.what, err)
		}
		if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want %q", test.what, err, test.want)
		}
	}
}

// A tagged field from the future is skipped, and those known are read on either side of it, also in nested structs.
func TestUnknownTagsAreSkipped(t *testing.T) {
	frame := unhex(t, "00000001"+
		"0000 02 0012 0000 0005 01 7f 02 abcd"+ // one API, with tag 127 of 2 bytes
		"00000000"+
		"03  01 08 0000000000000009  7e 01 ff  03 01 01") // tag 1, tag 126 of 1 byte, tag 3
	var got ApiVersionsResponse
	if _, err := DecodeResponse(frame, 3, &got); err != nil {
		t.Fatal(err)
	}
	if got.FinalizedFeaturesEpoch != 9 || !got.ZkMigrationReady || !slices.Equal(got.APIKeys, []ApiVersion{{18, 0, 5}}) {
		t.Errorf("got %+v, want API 18 v0 to v5, epoch 9, ready", got)
	}
}

// A session of three hundred years would overflow a Duration. It becomes the longest.
func TestLongestSession(t *testing.T) {
	var got SaslAuthenticateResponse
	frame := unhex(t, "00000001 0000 ffff 00000000 7fffffffffffffff")
	if _, err := DecodeResponse(frame, 1, &got); err != nil {
		t.Fatal(err)
	}
	if got.SessionLifetime < 292*365*24*time.Hour {
		t.Errorf("got %v, want 292 years", got.SessionLifetime)
	}
}

// What was decoded aliases the frame only where it says so, and there only its own bytes: appending to it must not write into
// its neighbour.
func TestBytesHaveNoRoomBehindThem(t *testing.T) {
	request := ProduceRequest{Topics: []ProduceTopic{{Name: "t", Partitions: []ProducePartition{{Records: [][]byte{{1, 2}}}}}}}
	_, m, err := DecodeRequest(encodeFrame(9, &request))
	if err != nil {
		t.Fatal(err)
	}
	records := m.(*ProduceRequest).Topics[0].Partitions[0].Records[0]
	if len(records) != 2 || cap(records) != 2 {
		t.Errorf("got length %d and capacity %d, want 2 and 2", len(records), cap(records))
	}
}
