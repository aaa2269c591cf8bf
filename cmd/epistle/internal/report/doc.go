// Package report draws a page of figures: one HTML file that needs nothing else, neither a script nor another file nor the
// network. Its charts are SVG with text, its colours follow the reader's choice of light or dark, and its layout the width of
// the screen.
package report
