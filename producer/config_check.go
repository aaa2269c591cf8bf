package producer

import (
	"fmt"
	"strconv"
	"time"

	"github.com/epistle-kafka/epistle/internal/properties"
)

// checker collects violations, and knows each field's key from the table of settings.
type checker struct{ violations []ViolationError }

func (k *checker) fail(field, value, rule string) {
	k.violations = append(k.violations, ViolationError{Field: field, Key: properties.KeyOf(field), Value: value, Rule: rule})
}

func (k *checker) atLeast(field string, v, least int64) {
	if v < least {
		k.fail(field, strconv.FormatInt(v, 10), fmt.Sprintf("must be at least %d", least))
	}
}

func (k *checker) inRange(field string, v, least, most int) {
	if v < least || v > most {
		rule := fmt.Sprintf("must be %d to %d", least, most)
		if most == maxJavaInt && v < least {
			rule = fmt.Sprintf("must be at least %d", least)
		}
		k.fail(field, strconv.Itoa(v), rule)
	}
}

func (k *checker) notNegative(field string, d time.Duration) {
	if d < 0 {
		k.fail(field, d.String(), "must not be negative")
	}
}

func (k *checker) between(field string, d, least, most time.Duration) {
	if d < least || d > most {
		k.fail(field, d.String(), fmt.Sprintf("must be %v to %v (2147483647 ms)", least, most))
	}
}

// A time that is shorter than any that makes sense is a number without its unit: Java's settings are milliseconds, and a bare
// number is nanoseconds in Go. Linger and the backoffs may be some microseconds, the others are a millisecond or more. What
// has a least value of its own, or may not be less than one of these, is not here.
func (c *Config) checkUnits(k *checker) {
	for _, s := range []struct {
		field    string
		d, least time.Duration
	}{
		{"Linger", c.Linger, time.Microsecond},
		{"RetryBackoff", c.RetryBackoff, time.Microsecond},
		{"RetryBackoffMax", c.RetryBackoffMax, time.Microsecond},
		{"ReconnectBackoff", c.ReconnectBackoff, time.Microsecond},
		{"ReconnectBackoffMax", c.ReconnectBackoffMax, time.Microsecond},
		{"MaxBlock", c.MaxBlock, time.Millisecond},
		{"MetadataMaxAge", c.MetadataMaxAge, time.Millisecond},
		{"MetadataRecoveryRebootstrapTrigger", c.MetadataRecoveryRebootstrapTrigger, time.Millisecond},
		{"UnknownTopicGrace", c.UnknownTopicGrace, time.Millisecond},
		{"PartitionerAvailabilityTimeout", c.PartitionerAvailabilityTimeout, time.Millisecond},
		{"ConnectionsMaxIdle", c.ConnectionsMaxIdle, time.Millisecond},
		{"SocketConnectionSetupTimeout", c.SocketConnectionSetupTimeout, time.Millisecond},
	} {
		if 0 < s.d && s.d < s.least {
			k.fail(s.field, s.d.String(), fmt.Sprintf("lacks its unit: a bare number is nanoseconds; for milliseconds write %d * time.Millisecond", int64(s.d)))
		}
	}
}

// notLess checks a maximum against the base that it caps.
func (k *checker) notLess(field string, d time.Duration, baseField string, base time.Duration) {
	if d < base {
		k.fail(field, d.String(), fmt.Sprintf("must be at least %s (%s) = %v", baseField, properties.KeyOf(baseField), base))
	}
}
