package main

import (
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// An element of a chart, as a reader of SVG sees it.
type element struct {
	kind    string
	attrs   map[string]string
	content string
}

func (e *element) number(name string) float64 {
	f, _ := strconv.ParseFloat(e.attrs[name], 64)
	return f
}

func elements(t *testing.T, svg string) []*element {
	t.Helper()
	var list []*element
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{kind: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			list = append(list, e)
		case xml.CharData:
			if len(list) > 0 {
				list[len(list)-1].content += strings.TrimSpace(string(token))
			}
		}
	}
}

// everything is every scenario with every peer, the first of which has the shortest bar and the last the longest figure.
func everything() []*outcome {
	var list []*outcome
	for i := range scenarios {
		o := &outcome{scenario: &scenarios[i], by: map[string]rounds{}}
		for j, p := range peers {
			if p.knows(o.scenario) {
				f := 123_456 * float64(j+1) * float64(j+1)
				o.by[p.name] = of(0.7*f, f, 1.3*f)
			}
		}
		list = append(list, o)
	}
	return list
}

// TestChartCutsNothingOff guards that each text lies within the chart and beside no other's bars, in the widest font, and that
// all of it fits a screen.
func TestChartCutsNothingOff(t *testing.T) {
	list := everything()
	awkward := *list[0].scenario
	awkward.short = "values < 1 KiB & more"
	list[0].scenario = &awkward
	svg := chart(list, peers, (&runner{}).against())
	all := elements(t, svg)
	if w, h := all[0].number("width"), all[0].number("height"); w > 900 || h > 720 {
		t.Errorf("it has %v × %v pixels, want no more than 900 × 720", w, h)
	}
	texts, rects := 0, 0
	for _, e := range all {
		switch e.kind {
		case "rect":
			rects++
		case "text":
			texts++
			x, w := e.number("x"), float64(width(e.content, e.number("font-size")))
			left, right := x, x+w
			if e.attrs["text-anchor"] == "end" {
				left, right = x-w, x
			}
			// Only the lines at the top go over both columns.
			edge := float64(chartWidth - margin)
			if e.attrs["font-size"] != "16" && left < margin+panelWidth && !strings.Contains(svg[:strings.Index(svg, "<path")], e.content) {
				edge = margin + panelWidth + panelGap/2
			}
			if left < margin || right > edge {
				t.Errorf("%q reaches from %v to %v, want it between %d and %v", e.content, left, right, margin, edge)
			}
		}
	}
	panels, drawn := 0, 0
	for _, o := range list {
		if o.scenario.short == "" {
			continue
		}
		panels++
		drawn += len(bars(o, peers))
	}
	if panels != 6 || rects != drawn+1 {
		t.Errorf("%d panels with %d rectangles, want 6 with a bar for each of %d and the background", panels, rects, drawn)
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Errorf("a figure is no number:\n%s", svg)
	}
}

// TestChartHasTwoModes guards that each colour has one for light pages and one for dark ones, and that texts can be read on
// both.
func TestChartHasTwoModes(t *testing.T) {
	svg := chart(everything(), peers, "a broker")
	light, dark, ok := strings.Cut(style, "@media (prefers-color-scheme:dark)")
	if !ok || !strings.Contains(svg, style) {
		t.Fatal("there is no dark mode")
	}
	colour := func(sheet, class string) string {
		m := regexp.MustCompile(`\.` + class + `\{(?:fill|stroke):(#[0-9a-f]{6})\}`).FindStringSubmatch(sheet)
		if m == nil {
			t.Fatalf("no colour for %s in %s", class, sheet)
		}
		return m[1]
	}
	for _, e := range elements(t, svg) {
		class := e.attrs["class"]
		if class == "" {
			continue
		}
		for mode, sheet := range map[string]string{"light": light, "dark": dark} {
			least := 1.3 // a bar has to be seen
			if e.kind == "text" {
				least = 4.5 // as accessibility guidelines have it for small text
			}
			if got := contrast(colour(sheet, class), colour(sheet, "ground")); class != "ground" && got < least {
				t.Errorf("%s on the ground of the %s mode has a contrast of %.1f, want %.1f", class, mode, got, least)
			}
		}
	}
}

// contrast is that of two colours, from 1 to 21, by the relative luminance of sRGB.
func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(colour string) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, _ := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
