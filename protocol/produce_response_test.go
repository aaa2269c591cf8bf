package protocol

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

// produceAnswers are answers from rich to poor, and in between: all that a version has is set, or as little as can be.
func produceAnswers(version int16) []*ProduceResponse {
	rich := func(seed uint64, most int) *ProduceResponse {
		r := filler{Rand: rand.New(rand.NewPCG(seed, uint64(version))), full: true, most: most}
		return r.message(func() Message { return new(ProduceResponse) }).(*ProduceResponse)
	}
	bare := ProducePartitionResponse{CurrentLeader: noLeader}
	return []*ProduceResponse{
		rich(1, 4), {},
		rich(2, 2), {Topics: []ProduceTopicResponse{{}}},
		rich(3, 4), {Topics: []ProduceTopicResponse{{Partitions: []ProducePartitionResponse{bare}}, {}}},
		rich(4, 4), {Topics: []ProduceTopicResponse{{Partitions: []ProducePartitionResponse{bare, bare, bare, bare}}}},
		rich(5, 8), rich(6, 1),
	}
}

// A response is read into again and again. Nothing of an answer is seen in the next, whatever that leaves out, and whichever
// version it is in.
func TestNothingOfTheLastAnswerShinesThrough(t *testing.T) {
	api := new(ProduceResponse).API()
	var across ProduceResponse // through all versions
	for version := api.Min; version <= api.Max; version++ {
		t.Run(fmt.Sprint("v", version), func(t *testing.T) {
			for i, rich := range produceAnswers(version) {
				for j, poor := range produceAnswers(version) {
					var used, fresh ProduceResponse
					for _, into := range []*ProduceResponse{&used, &across} {
						if _, err := DecodeResponse(encodeFrame(version, rich), version, into); err != nil {
							t.Fatal(err)
						}
					}
					frame := encodeFrame(version, poor)
					if _, err := DecodeResponse(frame, version, &fresh); err != nil {
						t.Fatal(err)
					}
					for _, into := range []*ProduceResponse{&used, &across} {
						if _, err := DecodeResponse(frame, version, into); err != nil || !reflect.DeepEqual(*into, fresh) {
							t.Fatalf("answer %d into what had held answer %d:\ngot  %+v, %v\nwant %+v", j, i, *into, err, fresh)
						}
					}
				}
			}
		})
	}
}

// An answer that breaks off leaves nothing behind either.
func TestNothingOfABrokenAnswerShinesThrough(t *testing.T) {
	for _, version := range []int16{3, 8, 13} {
		answers := produceAnswers(version)
		broken, whole := encodeFrame(version, answers[0]), encodeFrame(version, answers[2])
		var fresh ProduceResponse
		if _, err := DecodeResponse(whole, version, &fresh); err != nil {
			t.Fatal(err)
		}
		var used ProduceResponse
		for n := range broken {
			if _, err := DecodeResponse(broken[:n], version, &used); err == nil {
				t.Fatalf("v%d: the first %d bytes were taken", version, n)
			}
			if _, err := DecodeResponse(whole, version, &used); err != nil || !reflect.DeepEqual(used, fresh) {
				t.Fatalf("v%d after %d bytes of another:\ngot  %+v, %v\nwant %+v", version, n, used, err, fresh)
			}
		}
	}
}

// The steady state: one answer after the other of the same shape costs no allocation, named or not.
func TestReadingIntoAUsedProduceResponseDoesNotAllocate(t *testing.T) {
	answer := &ProduceResponse{Topics: []ProduceTopicResponse{{Name: "orders", TopicID: UUID{1}}, {Name: "views", TopicID: UUID{2}}}}
	for i := range answer.Topics {
		for p := range int32(5) {
			answer.Topics[i].Partitions = append(answer.Topics[i].Partitions, ProducePartitionResponse{Index: p, CurrentLeader: noLeader})
		}
	}
	for version := int16(3); version <= 13; version++ {
		frame := encodeFrame(version, answer)
		var m Response = new(ProduceResponse)
		got := testing.AllocsPerRun(100, func() {
			if _, err := DecodeResponse(frame, version, m); err != nil {
				t.Fatal(err)
			}
		})
		if got != 0 {
			t.Errorf("v%d: got %v allocations, want 0", version, got)
		}
	}
}

// What was taken out of an answer is the taker's: neither the next frame in the same memory nor the next answer in the same
// response changes a string.
func TestStringsOfAProduceResponseAreCopies(t *testing.T) {
	for version := int16(8); version <= 13; version++ {
		answers := produceAnswers(version)
		frame := encodeFrame(version, answers[0])
		var m, want ProduceResponse
		DecodeResponse(append([]byte(nil), frame...), version, &want)
		DecodeResponse(frame, version, &m)
		clear(frame)
		if !reflect.DeepEqual(m, want) {
			t.Fatalf("v%d: the answer changes with its frame", version)
		}
		name, message, told := m.Topics[0].Name, m.Topics[0].Partitions[0].ErrorMessage, *m.Topics[0].Partitions[0].ErrorMessage
		DecodeResponse(encodeFrame(version, answers[2]), version, &m)
		if name != want.Topics[0].Name || *message != told {
			t.Errorf("v%d: strings changed with the next answer", version)
		}
	}
}

// A response that says it refers to nothing of its frame has no field that could.
func TestSelfContained(t *testing.T) {
	if _, ok := Response(new(ProduceResponse)).(SelfContained); !ok {
		t.Error("a ProduceResponse is not self-contained: each answer would need memory of its own")
	}
	for _, newRequest := range newRequests {
		if m, ok := newRequest().NewResponse().(SelfContained); ok && holdsBytes(reflect.TypeOf(m).Elem()) {
			t.Errorf("%T has a byte slice, which aliases the frame", m)
		}
	}
	if !holdsBytes(reflect.TypeFor[SaslAuthenticateResponse]()) {
		t.Error("a SaslAuthenticateResponse was found to hold no byte slice: this proves nothing")
	}
}

func holdsBytes(typ reflect.Type) bool {
	switch typ.Kind() {
	case reflect.Slice:
		return typ.Elem().Kind() == reflect.Uint8 || holdsBytes(typ.Elem())
	case reflect.Pointer:
		return holdsBytes(typ.Elem())
	case reflect.Struct:
		for i := range typ.NumField() {
			if holdsBytes(typ.Field(i).Type) {
				return true
			}
		}
	}
	return false
}
