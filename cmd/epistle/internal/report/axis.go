package report

import "math"

// An Axis says how values are placed and written.
type Axis struct {
	Kind   Kind
	Format func(float64) string // of a value, with its unit
	Zero   bool                 // of Linear: it begins at 0, whatever the values are
}

// Kind is how far apart two values are.
type Kind uint8

const (
	Linear   Kind = iota // by their difference
	Log                  // by their ratio; what is not above 0 counts as the smallest that is
	Quantile             // shares of 1: 0.9 is as far from 0.99 as that from 0.999
)

// lastQuantile is where an axis of quantiles ends.
const lastQuantile = 0.9999

// scale is an axis for certain values.
type scale struct {
	kind        Kind
	first, last float64 // as placed
	smallest    float64 // of Log
	ticks       []tick
	axis        Axis
}

type tick struct {
	at   float64
	text string
}

// scale fits an axis to what one coordinate of the points has.
func (c *Chart) scale(a Axis, of func(Point) float64) *scale {
	s := &scale{kind: a.Kind, axis: a, first: math.Inf(1), last: math.Inf(-1), smallest: math.Inf(1)}
	for _, l := range c.Lines {
		for _, p := range l.Points {
			if v := of(p); !math.IsNaN(p.Y) && v > 0 {
				s.smallest = min(s.smallest, v)
			}
		}
	}
	if math.IsInf(s.smallest, 1) {
		s.smallest = 1
	}
	for _, l := range c.Lines {
		for _, p := range l.Points {
			if !math.IsNaN(p.Y) {
				v := s.place(of(p))
				s.first, s.last = min(s.first, v), max(s.last, v)
			}
		}
	}
	switch a.Kind {
	case Linear:
		s.linear()
	case Log:
		s.log()
	case Quantile:
		s.quantiles()
	}
	return s
}

// place is where a value lies, before the axis is stretched to the width of the plot.
func (s *scale) place(v float64) float64 {
	switch s.kind {
	case Log:
		if v <= 0 {
			v = s.smallest
		}
		return math.Log10(v)
	case Quantile:
		return -math.Log10(1 - min(v, lastQuantile))
	}
	return v
}

// share is where a value lies, from 0 at the beginning of the axis to 1 at its end.
func (s *scale) share(v float64) float64 {
	return min(max((s.place(v)-s.first)/(s.last-s.first), 0), 1)
}

func (s *scale) linear() {
	if s.axis.Zero {
		s.first = min(s.first, 0)
	}
	if s.last <= s.first {
		s.last = s.first + 1
	}
	step := niceStep((s.last - s.first) / 4)
	if s.axis.Zero { // a value axis ends with a tick
		s.last = step * math.Ceil(s.last/step-1e-9)
	}
	// Adding 0 makes 0 of -0.
	for i := math.Ceil(s.first/step-1e-9) + 0; i*step <= s.last*(1+1e-9); i++ {
		s.ticks = append(s.ticks, tick{i * step, s.axis.Format(i * step)})
	}
}

// niceStep is the next of 1, 2 and 5 times a power of ten.
func niceStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// log has ticks at powers of ten, and at 2 and 5 between them where there is room.
func (s *scale) log() {
	between := []float64{1, 2, 5}
	s.first, s.last = floorLog(s.first), ceilLog(s.last)
	if s.last-s.first > 1.8 {
		between = between[:1]
		s.first, s.last = math.Floor(s.first+1e-9), math.Ceil(s.last-1e-9)
	}
	if s.last <= s.first {
		s.last = s.first + math.Log10(2)
	}
	for decade := math.Floor(s.first + 1e-9); decade <= s.last+1e-9; decade++ {
		for _, m := range between {
			v := m * math.Pow(10, decade)
			if at := math.Log10(v); at >= s.first-1e-9 && at <= s.last+1e-9 {
				s.ticks = append(s.ticks, tick{v, s.axis.Format(v)})
			}
		}
	}
}

// floorLog is the next logarithm below of 1, 2 or 5 times a power of ten.
func floorLog(v float64) float64 {
	decade := math.Floor(v + 1e-9)
	for _, m := range []float64{5, 2} {
		if at := decade + math.Log10(m); at <= v+1e-9 {
			return at
		}
	}
	return decade
}

func ceilLog(v float64) float64 {
	decade := math.Floor(v + 1e-9)
	for _, m := range []float64{1, 2, 5} {
		if at := decade + math.Log10(m); at >= v-1e-9 {
			return at
		}
	}
	return decade + 1
}

func (s *scale) quantiles() {
	s.first, s.last = 0, -math.Log10(1-lastQuantile)
	for _, q := range []float64{0, 0.9, 0.99, 0.999, lastQuantile} {
		s.ticks = append(s.ticks, tick{q, s.axis.Format(q)})
	}
}
