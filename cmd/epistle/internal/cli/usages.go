package cli

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"
)

// usageWidth is how wide the descriptions of flags are, in columns.
const usageWidth = 100

// flagUsages describes the flags in two columns: how a flag is written, with the name of its value, and what it does. The name
// of the value is in back-quotes in the text. If the text begins with it and a colon, it is not repeated.
func flagUsages(fs *pflag.FlagSet) string {
	type entry struct{ flag, text string }
	var entries []entry
	left := 0
	fs.VisitAll(func(f *pflag.Flag) {
		flag := "      --" + f.Name
		if f.Shorthand != "" {
			flag = "  -" + f.Shorthand + ", --" + f.Name
		}
		value, text := pflag.UnquoteUsage(f)
		if f.Value.Type() == "bool" {
			value = ""
		}
		if strings.HasPrefix(f.Usage, "`"+value+"`: ") {
			text = strings.TrimPrefix(text, value+": ")
		}
		if value != "" {
			flag += " " + value
		}
		if !slices.Contains([]string{"", "0", "false", "[]"}, f.DefValue) {
			text += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		entries = append(entries, entry{flag, text})
		left = max(left, utf8.RuneCountInString(flag))
	})
	var b strings.Builder
	for _, e := range entries {
		for i, line := range wrap(e.text, usageWidth-left-3) {
			flag := ""
			if i == 0 {
				flag = e.flag
			}
			fmt.Fprintf(&b, "%-*s   %s\n", left, flag, line)
		}
	}
	return b.String()
}

// wrap breaks a text between words.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
