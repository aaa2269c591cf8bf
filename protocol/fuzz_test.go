package protocol

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// FuzzDecodeRequest reads any bytes as a request's frame. Nothing panics, and what is taken can be written and read again to
// the same.
func FuzzDecodeRequest(f *testing.F) {
	r := filler{Rand: rand.New(rand.NewPCG(1, 1))}
	for _, newRequest := range newRequests {
		api := newRequest().API()
		for version := api.Min; version <= api.Max; version++ {
			f.Add(encodeFrame(version, r.message(func() Message { return newRequest() })))
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		header, m, err := DecodeRequest(frame)
		if err != nil {
			return
		}
		header2, m2, err := DecodeRequest(AppendRequest(nil, header, m)[4:])
		if err != nil || !reflect.DeepEqual(header, header2) || !reflect.DeepEqual(m, m2) {
			t.Errorf("read again:\ngot  %+v %+v, %v\nwant %+v %+v", header2, m2, err, header, m)
		}
	})
}

// FuzzDecodeResponse reads any bytes as the frame of any response, likewise.
func FuzzDecodeResponse(f *testing.F) {
	r := filler{Rand: rand.New(rand.NewPCG(1, 1))}
	for i, newRequest := range newRequests {
		api := newRequest().API()
		for version := api.Min; version <= api.Max; version++ {
			f.Add(uint8(i), uint8(version), encodeFrame(version, r.message(func() Message { return newRequest().NewResponse() })))
		}
	}
	f.Add(uint8(5), uint8(5), []byte{0, 0, 0, 7, 0, 35, 0, 0, 0, 0}) // a refusal of ApiVersions
	f.Fuzz(func(t *testing.T, which, v uint8, frame []byte) {
		request := newRequests[int(which)%len(newRequests)]()
		api := request.API()
		version := api.Min + int16(v)%(api.Max-api.Min+1)
		m, m2 := request.NewResponse(), request.NewResponse()
		id, err := DecodeResponse(frame, version, m)
		if err != nil {
			return
		}
		id2, err := DecodeResponse(AppendResponse(nil, version, id, m)[4:], version, m2)
		if err != nil || id != id2 || !reflect.DeepEqual(m, m2) {
			t.Errorf("%s v%d read again:\ngot  %d %+v, %v\nwant %d %+v", api.Name, version, id2, m2, err, id, m)
		}
	})
}
