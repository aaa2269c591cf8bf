// Package ui is what the commands say to people: numbers that can be read, and a screen on which a status line and lasting
// output do not get in each other's way.
package ui
