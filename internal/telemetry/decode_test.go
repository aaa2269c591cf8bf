package telemetry

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// pushed shows what the push that was just made would have a broker know.
func (s *script) pushed() string {
	request := s.push.Request()
	raw, err := protocol.Decompress(nil, protocol.Codec(request.CompressionType), request.Metrics, 8<<20)
	s.must(err)
	text := fmt.Sprintf("by %s for %d by %v", who(request.ClientInstanceID), request.SubscriptionID, protocol.Codec(request.CompressionType))
	if request.Terminating {
		text += ", the last"
	}
	if s.push.Omitted > 0 {
		text += fmt.Sprintf(", %d omitted of more than fits into %d bytes", s.push.Omitted, s.push.sub.most)
		if len(raw) > s.push.sub.most {
			s.t.Errorf("%d bytes are pushed, and the broker takes %d", len(raw), s.push.sub.most)
		}
	}
	if s.push.Twice > 0 {
		text += fmt.Sprintf(", %d twice, such as %s", s.push.Twice, s.push.Named)
	}
	lines := points(raw)
	if len(lines) > 12 {
		lines = append(lines[:12], fmt.Sprintf("… %d in all", len(lines)))
	}
	return strings.Join(append([]string{text}, lines...), "\n")
}

// fields calls f for each field of a protobuf message: with the content of one that has a length, or the number.
func fields(message []byte, f func(field int, content []byte, number uint64)) {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		message = message[n:]
		switch tag & 7 {
		case 0:
			v, n := binary.Uvarint(message)
			f(int(tag>>3), nil, v)
			message = message[n:]
		case 1:
			f(int(tag>>3), nil, binary.LittleEndian.Uint64(message))
			message = message[8:]
		case 2:
			size, n := binary.Uvarint(message)
			f(int(tag>>3), message[n:n+int(size)], 0)
			message = message[n+int(size):]
		default:
			panic(fmt.Sprintf("wire type %d", tag&7))
		}
	}
}

// points has a line for each data point.
func points(data []byte) (lines []string) {
	fields(data, func(_ int, resource []byte, _ uint64) {
		fields(resource, func(field int, scope []byte, _ uint64) {
			if field == 2 {
				fields(scope, func(field int, metric []byte, _ uint64) {
					if field == 2 {
						lines = append(lines, pointsOf(metric)...)
					}
				})
			}
		})
	})
	return lines
}

func pointsOf(metric []byte) (lines []string) {
	name := ""
	fields(metric, func(field int, content []byte, _ uint64) {
		if field == 1 {
			name = string(content)
			return
		}
		kind := "gauge"
		fields(content, func(field int, _ []byte, number uint64) {
			if field == 2 {
				kind = [...]string{"?", "delta", "cumulative"}[number]
			}
		})
		fields(content, func(field int, point []byte, _ uint64) {
			if field == 1 {
				lines = append(lines, name+pointOf(kind, point))
			}
		})
	})
	return lines
}

func pointOf(kind string, point []byte) string {
	var start, now uint64
	value, attributes := 0.0, ""
	fields(point, func(field int, content []byte, number uint64) {
		switch field {
		case 2:
			start = number
		case 3:
			now = number
		case 4:
			value = math.Float64frombits(number)
		case 7:
			fields(content, func(field int, content []byte, _ uint64) {
				if field == 1 {
					attributes += string(content) + "="
				} else {
					fields(content, func(_ int, content []byte, _ uint64) { attributes += string(content) + " " })
				}
			})
		}
	})
	if attributes != "" {
		attributes = "{" + strings.TrimSpace(attributes) + "}"
	}
	text := fmt.Sprintf("%s %v %s", attributes, value, kind)
	at := func(nanos uint64) time.Duration { return time.Unix(0, int64(nanos)).Sub(began) }
	if kind != "gauge" {
		return fmt.Sprintf("%s from %v to %v", text, at(start), at(now))
	}
	return fmt.Sprintf("%s at %v", text, at(now))
}
