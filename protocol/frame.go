package protocol

import (
	"encoding/binary"
	"fmt"
	"math"
)

// RequestHeader goes before every request.
type RequestHeader struct {
	APIKey        int16 // filled by DecodeRequest; the functions that encode take it from the message
	Version       int16 // of the message
	CorrelationID int32 // comes back with the response
	ClientID      *string
}

// frameLengthSize is the size of the number of bytes that goes before every frame.
const frameLengthSize = 4

// AppendRequest appends a whole frame to dst: length, header and body. The version must be in the API's range, and no string
// longer than 32767 bytes. Anything else is a bug of the caller, and panics.
//
// It allocates nothing for a ProduceRequest if dst has room.
func AppendRequest(dst []byte, h RequestHeader, m Request) []byte {
	start := len(dst)
	if p, ok := m.(*ProduceRequest); ok {
		// The call of encode is a static one, so that e stays on the stack.
		e := newRequestEncoder(dst, h, p.API())
		p.encode(&e)
		putFrameLength(e.buf[start:], len(e.buf)-start)
		return e.buf
	}
	e := newRequestEncoder(dst, h, m.API())
	m.encode(&e)
	putFrameLength(e.buf[start:], len(e.buf)-start)
	return e.buf
}

// FrameRequest is AppendRequest without a copy of the record batches. It appends every other byte to scratch. To bufs it
// appends the pieces of scratch and the batches' chunks, in the order in which they go over the wire. size is that of the
// frame, with its length.
//
// It allocates nothing for a ProduceRequest if scratch and bufs have room. The pieces refer to the memory of scratch and of the
// chunks until the frame is written.
func FrameRequest(scratch []byte, bufs [][]byte, h RequestHeader, m Request) (newScratch []byte, newBufs [][]byte, size int) {
	start, first := len(scratch), len(bufs)
	p, ok := m.(*ProduceRequest)
	if !ok {
		scratch = AppendRequest(scratch, h, m)
		return scratch, append(bufs, scratch[start:]), len(scratch) - start
	}
	// The call of encode is a static one, so that e stays on the stack.
	e := newRequestEncoder(scratch, h, p.API())
	e.gather, e.bufs, e.cut = true, bufs, start
	p.encode(&e)
	e.flush()
	for _, b := range e.bufs[first:] {
		size += len(b)
	}
	putFrameLength(e.bufs[first], size)
	return e.buf, e.bufs, size
}

// DecodeRequest reads a frame without its length. The request may alias frame. With an error it also returns as much of the
// header as it has read: all of it, if errors.Is finds UnsupportedVersion.
func DecodeRequest(frame []byte) (RequestHeader, Request, error) {
	d := decoder{buf: frame}
	h := RequestHeader{APIKey: d.int16(), Version: d.int16(), CorrelationID: d.int32()}
	d.version = h.Version
	h.ClientID = d.nullableString()
	if d.err != nil {
		return h, nil, d.err
	}
	m := NewRequest(h.APIKey)
	if m == nil {
		return h, nil, fmt.Errorf("request with API key %d, which is not known here", h.APIKey)
	}
	api := m.API()
	if h.Version < api.Min || h.Version > api.Max {
		return h, nil, fmt.Errorf("%s v%d request, known are v%d to v%d: %w", api.Name, h.Version, api.Min, api.Max, UnsupportedVersion)
	}
	d.name, d.kind = api.Name, "request"
	d.flexible = api.flexible(h.Version)
	d.tags()
	m.decode(&d)
	d.end()
	if d.err != nil {
		return h, nil, d.err
	}
	return h, m, nil
}

// AppendResponse appends a whole frame to dst: length, header and body. version is that of the request. An ApiVersions request
// of an unknown version is answered in v0 (KIP-511). A version out of the API's range panics.
func AppendResponse(dst []byte, version int16, correlationID int32, m Response) []byte {
	api := m.API()
	api.mustKnow(version)
	start := len(dst)
	e := messageEncoder{buf: append(dst, 0, 0, 0, 0), version: version, flexible: api.flexible(version)}
	e.int32(correlationID)
	if !plainResponseHeader(api) {
		e.tags()
	}
	m.encode(&e)
	putFrameLength(e.buf[start:], len(e.buf)-start)
	return e.buf
}

// DecodeResponse reads a frame without its length into m. It resets m first. Afterwards m may alias frame, unless it is
// SelfContained. After an error the content of m means nothing. version is that of the request. A version out of the API's
// range panics. It allocates nothing for a ProduceResponse that has held an answer of the same shape.
//
// The correlation ID is returned even if the body has an error. A broker that does not know the version of an
// ApiVersionsRequest answers in v0 with UnsupportedVersion (KIP-511). Such an answer is read as v0, whatever version is.
func DecodeResponse(frame []byte, version int16, m Response) (correlationID int32, err error) {
	api := m.API()
	api.mustKnow(version)
	if p, ok := m.(*ProduceResponse); ok {
		// The call of decode is a static one, so that d stays on the stack.
		d := newResponseDecoder(frame, api, version)
		correlationID = d.int32()
		d.tags()
		p.decode(&d)
		d.end()
		return correlationID, d.err
	}
	d := newResponseDecoder(frame, api, version)
	correlationID = d.int32()
	if plainResponseHeader(api) {
		if r, ok := m.(*ApiVersionsResponse); ok && r.decodeUnsupported(d) {
			return correlationID, nil
		}
	} else {
		d.tags()
	}
	m.decode(&d)
	d.end()
	return correlationID, d.err
}

func newResponseDecoder(frame []byte, api API, version int16) decoder {
	return decoder{buf: frame, version: version, name: api.Name, kind: "response", flexible: api.flexible(version)}
}

// decodeUnsupported reports whether d is about to read the refusal of a version, in v0, and if so reads it. It works on a copy
// of d: any other answer is then read in the version that was asked for.
func (m *ApiVersionsResponse) decodeUnsupported(d decoder) bool {
	d.version, d.flexible = 0, false
	m.decode(&d)
	d.end()
	return d.err == nil && m.ErrorCode == UnsupportedVersion
}

// plainResponseHeader reports whether responses have a header without tagged fields in every version. ApiVersions has: a client
// must be able to read its answer before it knows which version it is.
func plainResponseHeader(api API) bool { return api.Key == 18 }

// newRequestEncoder starts a frame at the end of dst. The length is filled in later. The client ID has the old form in every
// version: a broker must be able to read the header of a request whose version it does not know.
func newRequestEncoder(dst []byte, h RequestHeader, api API) messageEncoder {
	api.mustKnow(h.Version)
	e := messageEncoder{buf: append(dst, 0, 0, 0, 0), version: h.Version}
	e.int16(api.Key)
	e.int16(h.Version)
	e.int32(h.CorrelationID)
	e.nullableString(h.ClientID)
	e.flexible = api.flexible(h.Version)
	e.tags()
	return e
}

func (a API) mustKnow(version int16) {
	if version < a.Min || version > a.Max {
		panic(fmt.Sprintf("protocol: %s v%d: only v%d to v%d can be spoken", a.Name, version, a.Min, a.Max))
	}
}

// putFrameLength writes the length of a frame of size bytes, itself included, to its start.
func putFrameLength(frame []byte, size int) {
	if size-frameLengthSize > math.MaxInt32 {
		panic(fmt.Sprintf("protocol: a frame of %d bytes is too long for the protocol", size))
	}
	binary.BigEndian.PutUint32(frame, uint32(size-frameLengthSize))
}
