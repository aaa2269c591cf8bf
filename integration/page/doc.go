// Package page looks at what `epistle perf --report` draws, as a browser draws it: in light and dark, on a wide screen and on
// a phone's. The broker is brokertest's; the browser is a Chromium without a window.
package page
