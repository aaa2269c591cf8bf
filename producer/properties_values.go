package producer

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// checkValue returns what is wrong with a trimmed value by Java's type and by the range or the names that Java takes,
// or "".
func (s *setting) checkValue(v string) string {
	switch s.kind {
	case "BOOLEAN":
		if !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
			return "must be true or false"
		}
	case "INT", "LONG", "SHORT":
		bits := map[string]int{"INT": 32, "LONG": 64, "SHORT": 16}[s.kind]
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
func (s *setting) checkRange(n float64) string {
	within, except, _ := strings.Cut(s.valid, " or ")
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
		panic("producer: range " + s.valid + " of " + s.key)
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

func (s *setting) checkNames(v string) string {
	if s.valid == "" {
		return ""
	}
	if s.valid == "non-empty string" {
		if v == "" {
			return "must not be empty"
		}
		return ""
	}
	list, anyCase := strings.CutPrefix(s.valid, "(case insensitive) ")
	names := strings.Split(strings.Trim(list, "[]"), ", ")
	for _, name := range names {
		if v == name || anyCase && strings.EqualFold(v, name) {
			return ""
		}
	}
	return "must be one of " + strings.Join(names, ", ")
}

// isDefault says whether v asks for nothing but what Java does anyway.
func (s *setting) isDefault(v string) bool {
	return v == s.def || s.kind == "BOOLEAN" && strings.EqualFold(v, s.def) || s.def == notSet && v == "" && s.kind != "STRING"
}

// The setters take values that checkValue has passed.

func boolean(field func(*Config) *bool) func(*Config, string) {
	return func(c *Config, v string) { *field(c) = strings.EqualFold(v, "true") }
}

func integer(field func(*Config) *int) func(*Config, string) {
	return func(c *Config, v string) {
		n, _ := strconv.ParseInt(v, 10, 32)
		*field(c) = int(n)
	}
}

// millis caps what a Duration cannot hold, 292 years: Long.MAX_VALUE is how Java's users write "for ever".
func millis(field func(*Config) *time.Duration) func(*Config, string) {
	return func(c *Config, v string) {
		n, _ := strconv.ParseInt(v, 10, 64)
		const most = math.MaxInt64 / int64(time.Millisecond)
		*field(c) = time.Duration(min(max(n, -most), most)) * time.Millisecond
	}
}

// enum sets the index of the name, whatever its case; where case matters, checkValue has seen to it.
func enum(names []string, set func(*Config, int)) func(*Config, string) {
	return func(c *Config, v string) {
		for i, name := range names {
			if strings.EqualFold(v, name) {
				set(c, i)
			}
		}
	}
}

func setAcks(c *Config, v string) {
	switch v {
	case "0":
		c.Acks = AcksNone
	case "1":
		c.Acks = AcksLeader
	default:
		c.Acks = AcksAll
	}
}

func setRetries(c *Config, v string) {
	n, _ := strconv.ParseInt(v, 10, 32)
	c.Retries = int32(n)
}

func setBufferMemory(c *Config, v string) {
	c.BufferMemory, _ = strconv.ParseInt(v, 10, 64)
}

// setBootstrap takes what Java takes: a listener's scheme in front, and IPv6 addresses without brackets.
func setBootstrap(c *Config, v string) {
	c.BootstrapServers = nil
	for _, server := range splitList(v) {
		if _, address, ok := strings.Cut(server, "://"); ok {
			server = address
		}
		if i := strings.LastIndexByte(server, ':'); i > 0 && strings.Contains(server[:i], ":") && !strings.HasPrefix(server, "[") {
			server = "[" + server[:i] + "]" + server[i:]
		}
		c.BootstrapServers = append(c.BootstrapServers, server)
	}
}

// splitList splits a LIST; an element that was named already is dropped, as Java drops it.
func splitList(v string) []string {
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
