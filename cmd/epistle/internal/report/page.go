package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// A Page is what is drawn.
type Page struct {
	Title    string
	Subtitle string
	Figures  []Figure
	Charts   []Chart // one without a point is left out
	Tables   []Table
	Data     any // all figures, for programs: JSON in the element with the id "data"; nil: none
}

// A Figure is a number to be seen at first sight.
type Figure struct{ Name, Value, Note string }

// A Table has two columns.
type Table struct {
	Title string
	Rows  []Row
}

// A Row is a line of a table.
type Row struct{ Name, Value string }

// Parts are the pieces of the name between which a line may be broken: after a dot.
func (r Row) Parts() []string { return strings.SplitAfter(r.Name, ".") }

//go:embed page.html
var text string

var page = template.Must(template.New("page").Parse(text))

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	data, err := json.Marshal(p.Data) // escapes <, > and &
	if err != nil {
		return fmt.Errorf("the figures as JSON: %w", err)
	}
	view := struct {
		*Page
		Drawn []drawn
		JSON  template.JS
	}{Page: p, JSON: template.JS(data)}
	for i := range p.Charts {
		if c := &p.Charts[i]; c.points() > 0 {
			view.Drawn = append(view.Drawn, c.draw())
		}
	}
	return page.Execute(w, view)
}
