package properties

import (
	"math"
	"strconv"
	"strings"
)

// checkValue returns what is wrong with a trimmed value, by Java's type and by the range or the names that Java takes; "" if
// nothing is.
func (s *Setting) checkValue(v string) string {
	switch s.Kind {
	case "BOOLEAN":
		if !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
			return "must be true or false"
		}
	case "INT", "LONG", "SHORT":
		bits := map[string]int{"INT": 32, "LONG": 64, "SHORT": 16}[s.Kind]
		n, err := strconv.ParseInt(v, 10, bits)
		if err != nil {
			return "must be a whole number of at most " + strconv.Itoa(bits) + " bits, without a unit"
		}
		return s.checkRange(float64(n))
	case "DOUBLE":
		n, err := strconv.ParseFloat(strings.TrimRight(v, "dDfF"), 64)
		if err != nil {
			return "must be a number"
		}
		return s.checkRange(n)
	case "STRING":
		return s.checkNames(v)
	case "LIST":
		for item := range strings.SplitSeq(v, ",") {
			if v != "" && strings.TrimSpace(item) == "" {
				return "must not have an empty element"
			}
		}
	}
	return ""
}

// checkRange reads notations such as [0,...], [1,...,17] and [1,...,9] or -1.
func (s *Setting) checkRange(n float64) string {
	within, except, _ := strings.Cut(s.Valid, " or ")
	if within == "" {
		return ""
	}
	if other, err := strconv.ParseFloat(except, 64); err == nil && n == other {
		return ""
	}
	bounds := strings.Split(strings.Trim(within, "[]"), ",")
	least, err := strconv.ParseFloat(bounds[0], 64)
	most := math.Inf(1)
	if err == nil && len(bounds) == 3 {
		most, err = strconv.ParseFloat(bounds[2], 64)
	}
	if err != nil {
		panic("properties: range " + s.Valid + " of " + s.Key)
	}
	switch {
	case n >= least && n <= most:
		return ""
	case len(bounds) == 2:
		return "must be at least " + bounds[0]
	case except != "":
		return "must be " + bounds[0] + " to " + bounds[2] + ", or " + except
	default:
		return "must be " + bounds[0] + " to " + bounds[2]
	}
}

const notEmpty = "non-empty string"

func (s *Setting) checkNames(v string) string {
	if s.Valid == "" {
		return ""
	}
	if s.Valid == notEmpty {
		if v == "" {
			return "must not be empty"
		}
		return ""
	}
	names, anyCase := s.names()
	for _, name := range names {
		if v == name || anyCase && strings.EqualFold(v, name) {
			return ""
		}
	}
	return "must be one of " + strings.Join(names, ", ")
}

// names returns the values that a row takes, if it takes those of a list alone, and whether their case means nothing.
func (s *Setting) names() (names []string, anyCase bool) {
	switch {
	case s.Kind == "BOOLEAN":
		return []string{"true", "false"}, true
	case s.Kind != "STRING" || s.Valid == "" || s.Valid == notEmpty:
		return nil, false
	}
	list, anyCase := strings.CutPrefix(s.Valid, "(case insensitive) ")
	return strings.Split(strings.Trim(list, "[]"), ", "), anyCase
}

// isDefault reports whether v means the same as Java's default.
func (s *Setting) isDefault(v string) bool {
	return v == s.Default || s.Kind == "BOOLEAN" && strings.EqualFold(v, s.Default) || s.Default == NotSet && v == "" && s.Kind != "STRING"
}

// Bool, Int and List read values that have passed.

// Bool reads a BOOLEAN.
func Bool(v string) bool { return strings.EqualFold(v, "true") }

// Int reads an INT, a LONG or a SHORT.
func Int(v string) int64 {
	n, _ := strconv.ParseInt(v, 10, 64)
	return n
}

// List splits a LIST. As in Java, an element that was named already is dropped.
func List(v string) []string {
	var items []string
	seen := map[string]bool{}
	for item := range strings.SplitSeq(v, ",") {
		if item = strings.TrimSpace(item); item != "" && !seen[item] {
			seen[item] = true
			items = append(items, item)
		}
	}
	return items
}

// gone are values that an older Kafka took.
var gone = map[string]string{
	"client.dns.lookup=default": "is a value of an older Kafka: leave the key out, and all addresses of a name are tried",
}
