package main

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// The sizes of a chart, in pixels.
const (
	chartWidth  = 860
	labelWidth  = 130
	figureWidth = 90
	barHeight   = 16
	blockGap    = 34 // with the scenario's title
	chartTop    = 46
)

// chart draws records per CPU second of each client, a block for each scenario that is compared by them, each on a scale
// of its own.
func chart(outcomes []*outcome, peers []*peer) string {
	var body strings.Builder
	y := chartTop
	for _, o := range outcomes {
		if o.scenario.metric == perCPUSecond {
			y = block(&body, o, peers, y)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="12">`+"\n", chartWidth, y+10)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", chartWidth, y+10)
	text(&b, 12, 22, "16", "start", "#1f2328", "Records per CPU second of the client: median, and the spread of the rounds")
	text(&b, 12, 38, "11", "start", "#59636e", "each block on its own scale; × is the ratio to franz-go")
	b.WriteString(body.String())
	b.WriteString("</svg>\n")
	return b.String()
}

// block returns where the next one begins.
func block(b *strings.Builder, o *outcome, peers []*peer, y int) int {
	text(b, 12, y+20, "13", "start", "#1f2328", "("+o.scenario.name+") "+o.scenario.title)
	y += blockGap - 6
	most := 0.0
	for _, p := range peers {
		if s := spreadOf(o.by[p.name].figures(perCPUSecond)); !math.IsNaN(s.most) && !p.aside {
			most = max(most, s.most)
		}
	}
	scale := float64(chartWidth-labelWidth-2*figureWidth) / most
	for _, p := range peers {
		s := spreadOf(o.by[p.name].figures(perCPUSecond))
		if math.IsNaN(s.median) || p.aside {
			continue
		}
		colour := map[string]string{epistle: "#0969da", limit: "#d1d9e0"}[p.name]
		if colour == "" {
			colour = "#818b98"
		}
		text(b, labelWidth-8, y+12, "12", "end", "#1f2328", p.title)
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", labelWidth, y+2, s.median*scale, barHeight-4, colour)
		fmt.Fprintf(b, `<path d="M%.1f %dH%.1f" stroke="#1f2328" stroke-width="1.5"/>`+"\n", labelWidth+s.least*scale, y+barHeight/2, labelWidth+s.most*scale)
		figure := number(s.median)
		if ratio := ratios(perCPUSecond, o.by[p.name], o.by[franz]).median; !math.IsNaN(ratio) {
			figure += fmt.Sprintf("  ×%.2f", ratio)
		}
		text(b, labelWidth+int(s.most*scale)+8, y+12, "11", "start", "#59636e", figure)
		y += barHeight
	}
	return y + 6
}

func text(b *strings.Builder, x, y int, size, anchor, colour, content string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="%s" text-anchor="%s" fill="%s">`, x, y, size, anchor, colour)
	xml.EscapeText(b, []byte(content)) // a Builder's Write does not fail
	b.WriteString("</text>\n")
}
