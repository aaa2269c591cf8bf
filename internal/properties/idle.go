package properties

import (
	"slices"
	"strings"
)

// A condition is a value of one key beside which another key has no effect.
type condition struct {
	key   string              // the one that has no effect then
	on    string              // the one that decides
	idle  func(v string) bool // whether its value is such a one
	since string              // what a notice says of that value
}

// conditions are all there are. The row of each key in the table says so, too, and a test compares both.
var conditions = []condition{
	{"compression.gzip.level", "compression.type", isNot("gzip"), "is not gzip"},
	{"compression.lz4.level", "compression.type", isNot("lz4"), "is not lz4"},
	{"compression.zstd.level", "compression.type", isNot("zstd"), "is not zstd"},
	{"metadata.cluster.check.enable", "metadata.recovery.strategy", is("none"), "is none"},
	{"metadata.recovery.rebootstrap.trigger.ms", "metadata.recovery.strategy", is("none"), "is none"},
	{"partitioner.adaptive.partitioning.enable", "partitioner.class", is(JavaRoundRobin), ofItsOwn},
	{"partitioner.availability.timeout.ms", "partitioner.class", is(JavaRoundRobin), ofItsOwn},
	{"partitioner.availability.timeout.ms", "partitioner.adaptive.partitioning.enable", is("false"), "is false"},
	{"partitioner.ignore.keys", "partitioner.class", is(JavaRoundRobin), ofItsOwn},
	{"partitioner.rack.aware", "partitioner.class", is(JavaRoundRobin), ofItsOwn},
	{"partitioner.rack.aware", "client.rack", is(""), "is not set"},
	{"transaction.timeout.ms", "transactional.id", is(NotSet), "is not set"},
	{"unknown.topic.grace.ms", "allow.auto.create.topics", is("false"), "is false"},
}

const ofItsOwn = "has a way of its own to choose partitions"

func is(value string) func(string) bool {
	return func(v string) bool { return strings.EqualFold(v, value) }
}

func isNot(value string) func(string) bool { return func(v string) bool { return v != value } }

// tellIdle gives a notice for each key that asks for something and has no effect. One reason is enough.
func (s *Set) tellIdle() {
	told := map[string]bool{}
	for _, c := range conditions {
		e := s.entries[c.key]
		asks := e != nil && e.value != "" && !rows[c.key].isDefault(e.value)
		if !asks || told[c.key] || s.broken[c.on] || !c.idle(s.effective(c.on)) {
			continue
		}
		told[c.key] = true
		asInJava := ", as in Java,"
		if slices.ContainsFunc(ownSettings, func(own Setting) bool { return own.Key == c.key }) {
			asInJava = ","
		}
		s.Notice(c.key, "has no effect"+asInJava+" since "+c.on+" "+c.since)
	}
}

// mechanismOf is whose a key is that the table says to be one mechanism's alone.
var mechanismOf = map[string]string{ofGSSAPI: "GSSAPI", ofOAuth: "OAUTHBEARER"}

// tellOtherMechanisms gives a notice for each key that belongs to another mechanism than the one that logs in, of Java's own. A
// mechanism of somebody else's may read any key.
func (s *Set) tellOtherMechanisms() {
	mechanism, _ := s.Value("sasl.mechanism")
	k := known(mechanism)
	if !s.SASL() || k == nil || k.name == "AWS_MSK_IAM" {
		return
	}
	for key, e := range s.entries {
		row := rows[key]
		name := mechanismOf[row.Why]
		if row.How != Mapped || row.isDefault(e.value) || e.value == "" || name == "" || name == mechanism {
			continue
		}
		s.Notice(key, "has no effect, as in Java, since sasl.mechanism is "+mechanism+", and not "+name)
	}
}
