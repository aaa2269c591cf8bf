package doctor

import (
	"fmt"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// indent is where the text of a check begins.
const indent = "                       "

// lines is a check as it is printed: how it went, and below what to do.
func lines(c *producer.Check) string {
	text := c.Text
	if c.Of != "" {
		text = c.Of + ": " + text
	}
	if c.Took >= 10*time.Microsecond {
		text += " (" + shown(c.Took) + ")"
	}
	line := fmt.Sprintf("%-8s %-13s %s\n", c.Verdict, c.Stage, ui.Line(text))
	if c.Advice != "" {
		line += indent + "what to do: " + ui.Line(c.Advice) + "\n"
	}
	return line
}

// summary is the last lines.
func summary(d *producer.Diagnosis) string {
	count := map[producer.Verdict]int{}
	for _, c := range d.Checks {
		count[c.Verdict]++
	}
	took := shown(d.Took)
	first := d.FirstFailure()
	switch {
	case d.Interrupted != nil:
		return fmt.Sprintf("\ninterrupted after %s: the lines above are what is known\n", took)
	case first == nil:
		text := fmt.Sprintf("\nhealthy: nothing failed, %s, %s", ui.Number(int64(count[producer.VerdictNotice]), "notice"), took)
		return text + "\n"
	}
	what := string(first.Stage) + ": "
	if first.Of != "" {
		what += first.Of + ": "
	}
	text := fmt.Sprintf("\nnot healthy: this failed first, and is to be put right first\n  %s\n", ui.Line(what+first.Text))
	if first.Advice != "" {
		text += "  what to do: " + ui.Line(first.Advice) + "\n"
	}
	return text + fmt.Sprintf("%d failed, %s, %d skipped, %s\n", count[producer.VerdictFailed],
		ui.Number(int64(count[producer.VerdictNotice]), "notice"), count[producer.VerdictSkipped], took)
}

// shown writes a time as people read it.
func shown(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	}
	return strings.TrimSpace(d.Round(10 * time.Millisecond).String())
}
