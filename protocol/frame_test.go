package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// produceOf is a request with one batch a partition, each in chunks of the given sizes.
func produceOf(partitions int, chunks ...int) *ProduceRequest {
	topic := ProduceTopic{Name: "orders", TopicID: UUID{1, 2, 3}}
	for p := range partitions {
		var records [][]byte
		for _, size := range chunks {
			records = append(records, bytes.Repeat([]byte{byte(p + 1)}, size))
		}
		topic.Partitions = append(topic.Partitions, ProducePartition{Index: int32(p), Records: records})
	}
	return &ProduceRequest{Acks: -1, Timeout: 30 * time.Second, Topics: []ProduceTopic{topic}}
}

// Frame by reference or by copy: the same bytes go over the wire, for every message, whatever the buffers held.
func TestFrameRequestWritesWhatAppendRequestWrites(t *testing.T) {
	client := "client"
	check := func(t *testing.T, header RequestHeader, m Request, scratch []byte, bufs [][]byte) {
		want := AppendRequest(nil, header, m)
		_, pieces, size := FrameRequest(scratch, bufs, header, m)
		got := bytes.Join(pieces[len(bufs):], nil)
		if !bytes.Equal(got, want) || size != len(want) {
			t.Errorf("got  %x, size %d\nwant %x, size %d", got, size, want, len(want))
		}
	}
	everyMessage(t, func(t *testing.T, version int16, newMessage func() Message) {
		if _, ok := newMessage().(Request); !ok {
			return
		}
		m := filler{Rand: rand.New(rand.NewPCG(9, 9))}.message(newMessage).(Request)
		header := RequestHeader{Version: version, CorrelationID: 5, ClientID: &client}
		check(t, header, m, nil, nil)
		check(t, header, m, append(make([]byte, 0, 1<<16), "before"...), [][]byte{[]byte("before")})
	})
	for capacity := range 200 { // scratch moves to other memory at every point there is
		header := RequestHeader{Version: 13, CorrelationID: 5, ClientID: &client}
		check(t, header, produceOf(3, 61, 0, 40), make([]byte, 0, capacity), nil)
	}
}

// The chunks of a batch are handed on as they are: the very memory, in order, the empty ones left out.
func TestFrameRequestRefersToChunks(t *testing.T) {
	request := produceOf(2, 61, 0, 40)
	_, pieces, _ := FrameRequest(nil, nil, RequestHeader{Version: 13}, request)
	// Header, two chunks, between, two chunks, end.
	if len(pieces) != 7 {
		t.Fatalf("got %d pieces, want 7", len(pieces))
	}
	for i, want := range map[int][]byte{
		1: request.Topics[0].Partitions[0].Records[0],
		2: request.Topics[0].Partitions[0].Records[2],
		4: request.Topics[0].Partitions[1].Records[0],
		5: request.Topics[0].Partitions[1].Records[2],
	} {
		if &pieces[i][0] != &want[0] || len(pieces[i]) != len(want) {
			t.Errorf("piece %d: got other memory than the chunk's", i)
		}
	}
}

// The hot path: a Produce request costs no allocation.
func TestFrameRequestDoesNotAllocate(t *testing.T) {
	client := "client"
	request := produceOf(10, 61, 100, 100)
	scratch, bufs := make([]byte, 0, 4096), make([][]byte, 0, 64)
	for _, version := range []int16{8, 12, 13} {
		header := RequestHeader{Version: version, CorrelationID: 1, ClientID: &client}
		got := testing.AllocsPerRun(100, func() {
			FrameRequest(scratch[:0], bufs[:0], header, request)
		})
		if got != 0 {
			t.Errorf("v%d: got %v allocations, want 0", version, got)
		}
		whole := make([]byte, 0, 8192)
		got = testing.AllocsPerRun(100, func() {
			AppendRequest(whole, header, request)
		})
		if got != 0 {
			t.Errorf("v%d in one piece: got %v allocations, want 0", version, got)
		}
	}
}

// The header of a flexible request has tagged fields but a plain client ID; that of a flexible response has tagged fields
// unless it is of ApiVersions; SaslHandshake has neither ever.
func TestHeaders(t *testing.T) {
	client := "me"
	for _, test := range []struct {
		message  Message
		version  int16
		clientID *string
		want     string
	}{
		{new(EndTxnRequest), 2, &client, "001a 0002 00000007 0002 6d65  0000 0000000000000000 0000 00"},
		{new(EndTxnRequest), 3, &client, "001a 0003 00000007 0002 6d65 00  01 0000000000000000 0000 00 00"},
		{new(EndTxnRequest), 3, nil, "001a 0003 00000007 ffff 00  01 0000000000000000 0000 00 00"},
		{new(EndTxnResponse), 2, nil, "00000007  00000000 0000"},
		{new(EndTxnResponse), 3, nil, "00000007 00  00000000 0000 00"},
		{new(ApiVersionsRequest), 2, nil, "0012 0002 00000007 ffff"},
		{new(ApiVersionsRequest), 3, nil, "0012 0003 00000007 ffff 00  01 01 00"},
		{&ApiVersionsResponse{FinalizedFeaturesEpoch: -1}, 2, nil, "00000007  0000 00000000 00000000"},
		{&ApiVersionsResponse{FinalizedFeaturesEpoch: -1}, 3, nil, "00000007  0000 01 00000000 00"},
		{new(SaslHandshakeRequest), 1, &client, "0011 0001 00000007 0002 6d65  0000"},
		{new(SaslHandshakeResponse), 1, nil, "00000007  0000 00000000"},
	} {
		var frame []byte
		if request, ok := test.message.(Request); ok {
			frame = AppendRequest(nil, RequestHeader{Version: test.version, CorrelationID: 7, ClientID: test.clientID}, request)
		} else {
			frame = AppendResponse(nil, test.version, 7, test.message.(Response))
		}
		body := unhex(t, test.want)
		want := append([]byte{0, 0, 0, byte(len(body))}, body...)
		if !bytes.Equal(frame, want) {
			t.Errorf("%T v%d:\ngot  %x\nwant %x", test.message, test.version, frame, want)
		}
	}
}

func TestDecodeRequestReturnsTheHeader(t *testing.T) {
	client := "me"
	want := RequestHeader{APIKey: 26, Version: 5, CorrelationID: -3, ClientID: &client}
	frame := AppendRequest(nil, want, &EndTxnRequest{TransactionalID: "t"})[4:]
	got, m, err := DecodeRequest(frame)
	if err != nil || !reflect.DeepEqual(got, want) || m.(*EndTxnRequest).TransactionalID != "t" {
		t.Errorf("got %+v, %+v, %v, want %+v", got, m, err, want)
	}
}

// A broker must be able to answer a version that it does not know: it gets the header, and an error to tell it by.
func TestDecodeRequestOfUnknownVersion(t *testing.T) {
	frame := unhex(t, "0012 0063 00000007 0002 6d65 00 aabbcc")
	header, m, err := DecodeRequest(frame)
	if m != nil || !errors.Is(err, UnsupportedVersion) {
		t.Errorf("got %v, %v, want no request and UNSUPPORTED_VERSION", m, err)
	}
	if header.APIKey != 18 || header.Version != 99 || header.CorrelationID != 7 || *header.ClientID != "me" {
		t.Errorf("got header %+v, want all of it", header)
	}
	if _, _, err := DecodeRequest(unhex(t, "0001 0004 00000007 ffff")); err == nil || errors.Is(err, UnsupportedVersion) {
		t.Errorf("Fetch: got %v, want an error about the API, not its version", err)
	}
	if _, _, err := DecodeRequest(unhex(t, "0001 00")); err == nil || err.Error() != "request header: truncated at byte 2: want 2 more, have 1" {
		t.Errorf("got %v, want an error about the request header", err)
	}
}

// KIP-511: whatever version was asked for, a refusal comes in v0, and says what to ask for instead.
func TestRefusedApiVersionsIsReadAsV0(t *testing.T) {
	refusal := &ApiVersionsResponse{ErrorCode: UnsupportedVersion, APIKeys: []ApiVersion{{18, 0, 3}}}
	old := &ApiVersionsResponse{ErrorCode: UnsupportedVersion} // brokers before 2.4
	for _, want := range []*ApiVersionsResponse{refusal, old} {
		frame := AppendResponse(nil, 0, 7, want)[4:]
		for version := range int16(6) {
			got := ApiVersionsResponse{ZkMigrationReady: true}
			id, err := DecodeResponse(frame, version, &got)
			if err != nil || id != 7 || got.ErrorCode != UnsupportedVersion || !reflect.DeepEqual(got.APIKeys, want.APIKeys) || got.ZkMigrationReady {
				t.Errorf("asked for v%d: got %d, %+v, %v, want %+v", version, id, got, err, want)
			}
		}
	}
	// Should a broker answer so in the version asked for, that is understood too.
	frame := AppendResponse(nil, 4, 7, refusal)[4:]
	var got ApiVersionsResponse
	if _, err := DecodeResponse(frame, 4, &got); err != nil || !reflect.DeepEqual(got.APIKeys, refusal.APIKeys) {
		t.Errorf("refused in v4: got %+v, %v, want %+v", got, err, refusal)
	}
}

// The correlation ID tells whose answer is broken, so it comes with the error.
func TestDecodeResponseReturnsTheCorrelationIDOfABrokenAnswer(t *testing.T) {
	id, err := DecodeResponse(unhex(t, "00000009 00 ff"), 5, new(EndTxnResponse))
	if id != 9 || err == nil {
		t.Errorf("got %d, %v, want 9 and an error", id, err)
	}
}

// What no version can carry is a bug of the caller, and stops where it is made.
func TestImpossibleMessagesPanic(t *testing.T) {
	for _, test := range []struct {
		want string
		do   func()
	}{
		{"protocol: EndTxn v6: only v0 to v5 can be spoken", func() { AppendRequest(nil, RequestHeader{Version: 6}, new(EndTxnRequest)) }},
		{"protocol: Produce v2: only v3 to v13 can be spoken", func() { FrameRequest(nil, nil, RequestHeader{Version: 2}, new(ProduceRequest)) }},
		{"protocol: EndTxn v-1: only v0 to v5 can be spoken", func() { AppendResponse(nil, -1, 0, new(EndTxnResponse)) }},
		{"protocol: EndTxn v6: only v0 to v5 can be spoken", func() { DecodeResponse(nil, 6, new(EndTxnResponse)) }},
		{"protocol: string of 32768 bytes", func() {
			AppendRequest(nil, RequestHeader{Version: 5}, &EndTxnRequest{TransactionalID: strings.Repeat("x", 32768)})
		}},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, test.want) {
					t.Errorf("got panic %q, want %q", got, test.want)
				}
			}()
			test.do()
		}()
	}
}

// The longest string there may be goes through.
func TestLongestString(t *testing.T) {
	want := strings.Repeat("x", 32767)
	for _, version := range []int16{2, 3} {
		_, m, err := DecodeRequest(encodeFrame(version, &EndTxnRequest{TransactionalID: want}))
		if err != nil || m.(*EndTxnRequest).TransactionalID != want {
			t.Errorf("v%d: got %v, want the string back", version, err)
		}
	}
}

// BenchmarkFrameRequest is the cost of a request with ten batches, apart from writing it.
func BenchmarkFrameRequest(b *testing.B) {
	client := "client"
	request := produceOf(10, 61, 8192, 8192)
	header := RequestHeader{Version: 13, CorrelationID: 1, ClientID: &client}
	scratch, bufs := make([]byte, 0, 4096), make([][]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		FrameRequest(scratch[:0], bufs[:0], header, request)
	}
}
