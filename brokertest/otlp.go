package brokertest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// read fills in what OpenTelemetry's MetricsData, version 1, has: gauges and sums with their attributes. It passes over
// histograms and summaries.
func (p *MetricsPush) read(data []byte) error {
	p.Resource = map[string]string{}
	return eachField(data, func(field int, resource []byte, _ uint64) error {
		if field != 1 { // ResourceMetrics
			return nil
		}
		return eachField(resource, func(field int, inner []byte, _ uint64) error {
			switch field {
			case 1: // Resource
				return eachField(inner, func(field int, pair []byte, _ uint64) error {
					if field == 1 {
						return readAttribute(p.Resource, pair)
					}
					return nil
				})
			case 2: // ScopeMetrics
				return eachField(inner, func(field int, metric []byte, _ uint64) error {
					if field == 2 {
						return p.readMetric(metric)
					}
					return nil
				})
			}
			return nil
		})
	})
}

func (p *MetricsPush) readMetric(metric []byte) error {
	var proto PushedMetric
	var points [][]byte
	err := eachField(metric, func(field int, inner []byte, _ uint64) error {
		switch field {
		case 1:
			proto.Name = string(inner)
		case 5, 7: // Gauge, Sum
			proto.Sum = field == 7
			return eachField(inner, func(field int, point []byte, number uint64) error {
				switch field {
				case 1:
					points = append(points, point)
				case 2:
					proto.Delta = number == 1
				}
				return nil
			})
		}
		return nil
	})
	for _, point := range points {
		m := proto
		m.Attributes = map[string]string{}
		err = errors.Join(err, m.readPoint(point))
		p.Metrics = append(p.Metrics, m)
	}
	return err
}

func (m *PushedMetric) readPoint(point []byte) error {
	return eachField(point, func(field int, inner []byte, number uint64) error {
		switch field {
		case 2:
			m.Start = time.Unix(0, int64(number))
		case 3:
			m.Time = time.Unix(0, int64(number))
		case 4:
			m.Value = math.Float64frombits(number)
		case 6:
			m.Value = float64(int64(number))
		case 7:
			return readAttribute(m.Attributes, inner)
		}
		return nil
	})
}

// readAttribute puts a KeyValue into a map. It passes over values that are not strings.
func readAttribute(into map[string]string, pair []byte) error {
	key := ""
	return eachField(pair, func(field int, inner []byte, _ uint64) error {
		switch field {
		case 1:
			key = string(inner)
		case 2: // AnyValue
			return eachField(inner, func(field int, text []byte, _ uint64) error {
				if field == 1 {
					into[key] = string(text)
				}
				return nil
			})
		}
		return nil
	})
}

// eachField calls f for the fields of a protobuf message: with the content of one that has a length, else with its number.
func eachField(message []byte, f func(field int, content []byte, number uint64) error) error {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return errors.New("a field of the metrics has no tag")
		}
		message = message[n:]
		var content []byte
		var number uint64
		switch tag & 7 {
		case 0:
			if number, n = binary.Uvarint(message); n <= 0 {
				return errors.New("a number in the metrics is cut short")
			}
		case 1, 5:
			if n = 8; tag&7 == 5 {
				n = 4
			}
			if len(message) < n {
				return errors.New("a number in the metrics is cut short")
			}
			for i := range n {
				number |= uint64(message[i]) << (8 * i)
			}
		case 2:
			var size uint64
			if size, n = binary.Uvarint(message); n <= 0 || size > uint64(len(message)-n) {
				return errors.New("a part of the metrics is cut short")
			}
			content = message[n : n+int(size)]
			n += int(size)
		default:
			return fmt.Errorf("the metrics have a field of wire type %d", tag&7)
		}
		message = message[n:]
		if err := f(int(tag>>3), content, number); err != nil {
			return err
		}
	}
	return nil
}
