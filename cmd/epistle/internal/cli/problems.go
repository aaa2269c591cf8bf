package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// problems lists what is wrong with settings, in the words of the command line. Advice that is the same for several of them is
// given once, with the last.
func problems(wrong *producer.PropertiesError) string {
	if len(wrong.Problems) == 1 {
		return problem(wrong.Problems[0])
	}
	const most = 20 // are written out
	last := make(map[string]int)
	for i, p := range wrong.Problems {
		_, hint := cutHint(p.Rule)
		last[hint] = i
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d settings are wrong:", len(wrong.Problems))
	for i, p := range wrong.Problems {
		if i == most {
			fmt.Fprintf(&b, "\n  and %d more", len(wrong.Problems)-i)
			break
		}
		rule, hint := cutHint(p.Rule)
		if last[hint] != i && i != most-1 {
			p.Rule = rule
		}
		fmt.Fprintf(&b, "\n  %s", problem(p))
	}
	return b.String()
}

// problem is one line of that.
func problem(p producer.PropertyError) string {
	p.Key, p.Value, p.Rule = ui.Plain(p.Key), ui.Plain(p.Value), ui.OneLine(errors.New(p.Rule)).Error()
	return p.Error()
}

// cutHint divides a rule into what is wrong and what to do about it, without an example at its end.
func cutHint(rule string) (wrong, hint string) {
	i := strings.IndexAny(rule, ":;")
	if i < 0 {
		return rule, ""
	}
	hint, _, _ = strings.Cut(rule[i:], "e.g. ")
	return rule[:i], hint
}
