package lines

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

// FuzzContainers: whatever an input begins with, it is told what it is or passed on as it is, and nothing panics.
func FuzzContainers(f *testing.F) {
	for _, c := range containers {
		f.Add([]byte(c.magic + "rest\n"))
	}
	f.Add([]byte("text\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		s := &sniffer{in: iotest.OneByteReader(bytes.NewReader(content)), name: "f", say: func(string, ...any) {}}
		got, err := io.ReadAll(s)
		if err == nil && !s.unpacking() && !bytes.Equal(got, content) {
			t.Fatalf("%q is passed on as %q", content, got)
		}
		if c, _ := identify(content); c == nil && err != nil {
			t.Fatalf("%q is refused: %v", content, err)
		}
	})
}

func (s *sniffer) unpacking() bool {
	_, ok := s.r.(*sniffer)
	return ok
}
