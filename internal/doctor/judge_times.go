package doctor

import (
	"fmt"
	"strings"
	"time"
)

// A round trip is slow that takes this, or ten times as long as the quickest broker's and more than a tenth of it.
const slowTrip = 500 * time.Millisecond

// judgeRoundTrips compares the brokers.
func judgeRoundTrips(brokers []Server) Check {
	const shown = 10
	c := Check{Stage: RoundTrip, Verdict: OK}
	quickest := brokers[0].Median
	var texts []string
	for _, b := range brokers {
		quickest = min(quickest, b.Median)
		texts = append(texts, fmt.Sprintf("broker %d %s", b.ID, shownTime(b.Median)))
	}
	c.Text = strings.Join(texts[:min(shown, len(texts))], ", ")
	if more := len(texts) - shown; more > 0 {
		c.Text += fmt.Sprintf(" and %d more", more)
	}
	c.Text += fmt.Sprintf(" (medians of %d)", samples)
	var slow []string
	for _, b := range brokers {
		if b.Median >= slowTrip || b.Median > 10*quickest && b.Median > slowTrip/10 {
			slow = append(slow, fmt.Sprintf("broker %d", b.ID))
		}
	}
	if len(slow) > 0 {
		c.Verdict = Notice
		c.Text += "; slow: " + strings.Join(slow[:min(shown, len(slow))], ", ")
		c.Advice = "each acknowledgement takes as long at least: look at the distance and at the broker's load; linger.ms and max.in.flight.requests.per.connection bound how much goes meanwhile"
	}
	return c
}

// judgeClock compares this machine's clock with the broker's, which has given a record its time between two moments of ours.
func judgeClock(at, sent, acknowledged time.Time) Check {
	c := Check{Stage: Clock, Verdict: OK}
	ahead := time.Duration(0) // of this machine's clock
	switch {
	case at.Before(sent.Truncate(time.Millisecond)):
		ahead = sent.Sub(at)
	case at.After(acknowledged):
		ahead = acknowledged.Sub(at)
	}
	switch {
	case ahead == 0:
		c.Text = fmt.Sprintf("the broker's clock agrees with this machine's, as far as can be told (%s)", shownTime(acknowledged.Sub(sent)))
		return c
	case ahead > 0:
		c.Text = fmt.Sprintf("this machine's clock is %s ahead of the broker's", shownTime(ahead))
	default:
		c.Text = fmt.Sprintf("this machine's clock is %s behind the broker's", shownTime(-ahead))
	}
	if ahead > time.Second || ahead < -time.Second {
		c.Verdict = Notice
		c.Advice = "set both by NTP: certificates and tokens are valid by the clock, and a topic refuses timestamps that are too far from the broker's (message.timestamp.after.max.ms, an hour by default)"
	}
	return c
}
