package report

import (
	"fmt"
	"math"
	"strings"
)

// A Chart is lines over one pair of axes.
type Chart struct {
	Title string
	Note  string // what a reader has to know to read it; may be ""
	X, Y  Axis
	Lines []Line // at most four
}

// A Line is the values of one thing, in the order of their X. A gap is a point whose Y is NaN.
type Line struct {
	Name   string
	Points []Point
}

// A Point is a value, in the units of the axes.
type Point struct{ X, Y float64 }

// The size of a chart, in units of which one is a pixel of a narrow screen.
const (
	width, height = 360, 210
	left, right   = 52, 10 // of the plot: room for labels
	top, bottom   = 14, 26
)

// drawn is a chart as the page's template takes it.
type drawn struct {
	Title, Note, Alt string
	Width, Height    int
	Across           []segment // the grid
	Labels           []label
	Lines            []drawnLine
}

type segment struct{ X1, Y1, X2, Y2 string }

type label struct{ X, Y, Anchor, Text string }

type drawnLine struct {
	Name string
	Runs []string // points of pieces without a gap
	Dots []dot    // pieces of one point
}

type dot struct{ X, Y string }

func (c *Chart) points() (n int) {
	for _, l := range c.Lines {
		for _, p := range l.Points {
			if !math.IsNaN(p.Y) {
				n++
			}
		}
	}
	return n
}

// draw places everything. The chart has a point.
func (c *Chart) draw() drawn {
	xs, ys := c.scale(c.X, func(p Point) float64 { return p.X }), c.scale(c.Y, func(p Point) float64 { return p.Y })
	d := drawn{Title: c.Title, Note: c.Note, Alt: c.alt(), Width: width, Height: height}
	at := func(v float64) string { return fmt.Sprintf("%.1f", v) }
	xAt := func(v float64) float64 { return left + xs.share(v)*(width-left-right) }
	yAt := func(v float64) float64 { return height - bottom - ys.share(v)*(height-top-bottom) }
	for _, tick := range ys.ticks {
		y := yAt(tick.at)
		d.Across = append(d.Across, segment{at(left), at(y), at(width - right), at(y)})
		d.Labels = append(d.Labels, label{at(left - 6), at(y + 4), "end", tick.text})
	}
	for i, tick := range xs.ticks {
		x, anchor := xAt(tick.at), "middle"
		switch { // the outer ones stay inside
		case i == len(xs.ticks)-1 && x > width-right-16:
			x, anchor = width-2, "end"
		case i == 0 && x < left+8:
			anchor = "start"
		}
		d.Across = append(d.Across, segment{at(xAt(tick.at)), at(height - bottom), at(xAt(tick.at)), at(height - bottom + 4)})
		d.Labels = append(d.Labels, label{at(x), at(height - bottom + 17), anchor, tick.text})
	}
	for _, l := range c.Lines {
		line := drawnLine{Name: l.Name}
		var run []string
		end := func() {
			switch len(run) {
			case 0:
			case 1:
				x, y, _ := strings.Cut(run[0], ",")
				line.Dots = append(line.Dots, dot{x, y})
			default:
				line.Runs = append(line.Runs, strings.Join(run, " "))
			}
			run = nil
		}
		for _, p := range l.Points {
			if math.IsNaN(p.Y) || math.IsInf(p.Y, 0) {
				end()
				continue
			}
			run = append(run, at(xAt(p.X))+","+at(yAt(p.Y)))
		}
		end()
		d.Lines = append(d.Lines, line)
	}
	return d
}

// alt says in words what is drawn, for those who do not see it.
func (c *Chart) alt() string {
	parts := make([]string, 0, len(c.Lines))
	for _, l := range c.Lines {
		lowest, highest := math.Inf(1), math.Inf(-1)
		for _, p := range l.Points {
			if !math.IsNaN(p.Y) {
				lowest, highest = min(lowest, p.Y), max(highest, p.Y)
			}
		}
		if lowest <= highest {
			parts = append(parts, fmt.Sprintf("%s from %s to %s", l.Name, c.Y.Format(lowest), c.Y.Format(highest)))
		}
	}
	return c.Title + ": " + strings.Join(parts, "; ")
}
