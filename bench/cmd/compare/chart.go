package main

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// The sizes of a chart, in pixels. It fits a screen: two panels beside each other, three rows of them at most.
const (
	panelWidth = 424
	panelGap   = 24
	margin     = 12
	chartWidth = 2*panelWidth + panelGap + 2*margin
	barHeight  = 17
	titleRoom  = 26 // above the bars of a panel
	panelRoom  = 14 // below them
	textGap    = 8
)

// style has the colours of both modes. The chart has a background of its own, so that it can be read on any page, even one
// whose mode is not the system's.
const style = `<style>
.ground{fill:#ffffff}.text{fill:#1f2328}.soft{fill:#59636e}.ours{fill:#0969da}.theirs{fill:#8c959f}.limit{fill:#d1d9e0}.spread{stroke:#1f2328}
@media (prefers-color-scheme:dark){
.ground{fill:#0d1117}.text{fill:#e6edf3}.soft{fill:#9198a1}.ours{fill:#388bfd}.theirs{fill:#656c76}.limit{fill:#3d444d}.spread{stroke:#e6edf3}
}
</style>
`

// chart draws one row for each producer, and the limit program's, in a panel for each scenario that has a name for it.
func chart(outcomes []*outcome, peers []*peer, against string) string {
	var body strings.Builder
	y := margin
	put := func(size, class, content string) {
		px := pixels(size)
		for _, line := range wrapped(content, px, chartWidth-2*margin) {
			y += int(px * 1.35)
			text(&body, margin, y, size, "start", class, line)
		}
	}
	put("16", "text", "Records for a second of the client's CPU, one record a call with a callback of its own")
	put("12", "soft", "Against "+against+". Bars are medians and lines what all rounds lie between, each panel on a scale of its own; × is the ratio to franz-go. "+
		"Peers that take many records in a call are handed a hundred where that is faster. The limit program is no producer.")
	y += panelRoom
	left, lowest := true, y
	for _, o := range outcomes {
		if o.scenario.short == "" {
			continue
		}
		x := margin
		if !left {
			x += panelWidth + panelGap
		}
		lowest = max(lowest, panel(&body, o, peers, x, y))
		if left = !left; left {
			y = lowest
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif" font-size="12">`+"\n", chartWidth, lowest)
	b.WriteString(style)
	fmt.Fprintf(&b, `<rect class="ground" width="%d" height="%d" rx="6"/>`+"\n", chartWidth, lowest)
	b.WriteString(body.String())
	b.WriteString("</svg>\n")
	return b.String()
}

// A bar of a panel.
type bar struct {
	title, class, figure string
	spread
}

// bars are those of a scenario: Epistle's first, the limit program's last.
func bars(o *outcome, peers []*peer) []bar {
	m := o.scenario.metric
	n := o.noise(m)
	var first, middle, last []bar
	for _, p := range peers {
		s := spreadOf(o.by[p.name].figures(m))
		if !p.drawn() || math.IsNaN(s.median) {
			continue
		}
		b := bar{p.title, "theirs", n.number(s.median), s}
		if ratio := ratios(m, o.by[p.name], o.by[franz]).median; !math.IsNaN(ratio) {
			b.figure += "  " + n.digits(ratio) + " ×"
		}
		switch p.name {
		case epistle:
			b.class = "ours"
			first = append(first, b)
		case limit:
			b.class = "limit"
			last = append(last, b)
		default:
			middle = append(middle, b)
		}
	}
	return append(append(first, middle...), last...)
}

// panel draws one panel, and returns where the next one begins.
func panel(b *strings.Builder, o *outcome, peers []*peer, x, y int) int {
	title := "(" + o.scenario.name + ") " + o.scenario.short
	text(b, x, y+15, "13", "start", "text", title)
	y += titleRoom
	labels, figures, most := 0, 0, 0.0
	list := bars(o, peers)
	for _, bar := range list {
		labels = max(labels, width(bar.title, 12))
		figures = max(figures, width(bar.figure, 11))
		most = max(most, bar.most)
	}
	from := x + labels + textGap
	scale := float64(panelWidth-labels-figures-2*textGap) / most
	for _, bar := range list {
		text(b, from-textGap, y+13, "12", "end", "text", bar.title)
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/>`+"\n", bar.class, from, y+2, bar.median*scale, barHeight-4)
		fmt.Fprintf(b, `<path class="spread" d="M%.1f %.1fH%.1f" stroke-width="1.5"/>`+"\n", float64(from)+bar.least*scale, float64(y)+barHeight/2.0, float64(from)+bar.most*scale)
		text(b, from+int(math.Ceil(bar.most*scale))+textGap, y+13, "11", "start", "soft", bar.figure)
		y += barHeight
	}
	return y + panelRoom
}

func text(b *strings.Builder, x, y int, size, anchor, class, content string) {
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d" font-size="%s" text-anchor="%s" xml:space="preserve">`, class, x, y, size, anchor)
	xml.EscapeText(b, []byte(content)) // a Builder's Write does not fail
	b.WriteString("</text>\n")
}

func pixels(size string) (px float64) {
	fmt.Sscan(size, &px)
	return px
}

// width returns how wide a text is at most, in pixels. The fonts with which it may be drawn differ.
func width(content string, px float64) int {
	ems := 0.0
	for _, r := range content {
		switch {
		case strings.ContainsRune("iljtfrI.,:;()'|- ", r):
			ems += 0.42
		case strings.ContainsRune("mwMW×…", r):
			ems += 0.98
		case r >= 'A' && r <= 'Z':
			ems += 0.76
		default:
			ems += 0.64
		}
	}
	return int(math.Ceil(ems * px))
}

// wrapped cuts a text into lines that are no wider than that.
func wrapped(content string, px float64, most int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(content) {
		if longer := strings.TrimSpace(line + " " + word); line == "" || width(longer, px) <= most {
			line = longer
			continue
		}
		lines = append(lines, line)
		line = word
	}
	return append(lines, line)
}
