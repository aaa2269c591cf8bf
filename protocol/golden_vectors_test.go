package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

const goldenDir = "testdata/golden"

// goldenFile holds what the Java client makes of one message, request or response, in every version that we speak.
// testdata/java/golden/record.sh records it.
type goldenFile struct {
	Message  string                    `json:"message"` // Java's name: MetadataRequest
	APIKey   int16                     `json:"apiKey"`
	Defaults map[string]map[string]any `json:"defaults"` // by the path of the struct; "" is the message itself
	Vectors  []*goldenVector           `json:"vectors"`

	request bool
}

// goldenVector is one message in one version: the values of its fields, and the bytes that the Java client writes for them.
type goldenVector struct {
	Version       int16          `json:"version"`
	Variant       string         `json:"variant"`
	Fields        map[string]any `json:"fields"` // of this version; a tagged field at its default is left out
	CorrelationID int32          `json:"correlationId"`
	ClientID      *string        `json:"clientId"`
	Header        hexBytes       `json:"header"`
	Body          hexBytes       `json:"body"`
	// The same values with tagged fields that no schema knows, in the header and in every struct; nil before the flexible
	// versions.
	UnknownTagsHeader hexBytes `json:"unknownTagsHeader"`
	UnknownTagsBody   hexBytes `json:"unknownTagsBody"`

	file *goldenFile
}

type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

func goldenName(api API, request bool) string {
	if request {
		return api.Name + ".request.json"
	}
	return api.Name + ".response.json"
}

func loadGolden(t testing.TB, api API, request bool) *goldenFile {
	t.Helper()
	in, err := os.Open(filepath.Join(goldenDir, goldenName(api, request)))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	decoder := json.NewDecoder(in)
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	file := &goldenFile{request: request}
	if err := decoder.Decode(file); err != nil {
		t.Fatalf("%s: %v", in.Name(), err)
	}
	for _, vector := range file.Vectors {
		vector.file = file
	}
	return file
}

// eachGolden runs test for every vector of every message.
func eachGolden(t *testing.T, test func(t *testing.T, vector *goldenVector)) {
	t.Helper()
	for _, api := range APIs() {
		for _, request := range []bool{true, false} {
			for _, vector := range loadGolden(t, api, request).Vectors {
				t.Run(vector.String(), func(t *testing.T) { test(t, vector) })
			}
		}
	}
}

func (v *goldenVector) String() string {
	return fmt.Sprintf("%s/v%d/%s", v.file.Message, v.Version, v.Variant)
}

func (v *goldenVector) frame() []byte {
	return append(append([]byte(nil), v.Header...), v.Body...)
}

func (v *goldenVector) unknownTagsFrame() []byte {
	return append(append([]byte(nil), v.UnknownTagsHeader...), v.UnknownTagsBody...)
}

// newMessage is an empty message of the kind of v.
func (v *goldenVector) newMessage() Message {
	request := NewRequest(v.file.APIKey)
	if v.file.request {
		return request
	}
	return request.NewResponse()
}

// decode reads a frame without its length as a message of the kind and version of v. A response is read into m, which may hold
// an earlier one; a request is made anew.
func (v *goldenVector) decode(frame []byte, m Message) (Message, error) {
	if v.file.request {
		header, request, err := DecodeRequest(frame)
		if err != nil {
			return nil, err
		}
		return request, v.checkHeader(header)
	}
	correlationID, err := DecodeResponse(frame, v.Version, m.(Response))
	if err == nil && correlationID != v.CorrelationID {
		err = fmt.Errorf("correlation ID: got %d, want %d", correlationID, v.CorrelationID)
	}
	return m, err
}

func (v *goldenVector) checkHeader(got RequestHeader) error {
	want := v.header()
	if got.APIKey != want.APIKey || got.Version != want.Version || got.CorrelationID != want.CorrelationID || show(got.ClientID) != show(want.ClientID) {
		return fmt.Errorf("request header: got %+v (client ID %s), want %+v (client ID %s)", got, show(got.ClientID), want, show(want.ClientID))
	}
	return nil
}

func (v *goldenVector) header() RequestHeader {
	return RequestHeader{APIKey: v.file.APIKey, Version: v.Version, CorrelationID: v.CorrelationID, ClientID: v.ClientID}
}

// encode is the frame of m in the version of v, without its length, which it checks.
func (v *goldenVector) encode(m Message) ([]byte, error) {
	const before = "before" // a frame is appended to what is there
	var out []byte
	if v.file.request {
		out = AppendRequest([]byte(before), v.header(), m.(Request))
	} else {
		out = AppendResponse([]byte(before), v.Version, v.CorrelationID, m.(Response))
	}
	if len(out) < len(before)+4 || string(out[:len(before)]) != before {
		return nil, fmt.Errorf("%x was not appended to %x", out, before)
	}
	frame := out[len(before)+4:]
	if length := binary.BigEndian.Uint32(out[len(before):]); int64(length) != int64(len(frame)) {
		return nil, fmt.Errorf("frame length: got %d, want %d", length, len(frame))
	}
	return frame, nil
}

func show(s *string) string {
	if s == nil {
		return "null"
	}
	return fmt.Sprintf("%q", *s)
}
