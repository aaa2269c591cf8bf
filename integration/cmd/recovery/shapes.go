package main

import "time"

// A shape is one outage. There are at most 20, each with its name.
type shape struct {
	name  string
	how   failure
	stop  bool // the broker itself is stopped by SIGSTOP, so that its role moves
	of    int  // how many brokers of the three
	lasts time.Duration
	again int  // how often; 0 is once
	plain bool // the clients' default settings; else request timeout 3 s and delivery timeout 8 s
}

var shapes = []shape{
	{name: "refused-one", how: refused, of: 1, lasts: 4 * time.Second},
	{name: "refused-all", how: refused, of: 3, lasts: 4 * time.Second},
	{name: "reset-one", how: reset, of: 1, lasts: 4 * time.Second},
	{name: "reset-all", how: reset, of: 3, lasts: 4 * time.Second},
	{name: "silent-one", how: silent, of: 1, lasts: 4 * time.Second},
	{name: "silent-all", how: silent, of: 3, lasts: 4 * time.Second},
	{name: "half-open-one", how: halfOpen, of: 1, lasts: 4 * time.Second},
	{name: "half-open-all", how: halfOpen, of: 3, lasts: 4 * time.Second},
	{name: "drip-one", how: dripping, of: 1, lasts: 4 * time.Second},
	{name: "drip-all", how: dripping, of: 3, lasts: 4 * time.Second},
	{name: "frozen-one", how: frozen, of: 1, lasts: 4 * time.Second},
	{name: "frozen-all", how: frozen, of: 3, lasts: 4 * time.Second},
	{name: "expire", how: silent, of: 3, lasts: 20 * time.Second},
	{name: "flapping", how: silent, of: 3, lasts: 4 * time.Second, again: 5},
	{name: "role-moves", stop: true, of: 1, lasts: 12 * time.Second},
	{name: "refused-all-defaults", how: refused, of: 3, lasts: 20 * time.Second, plain: true},
	{name: "half-open-all-defaults", how: halfOpen, of: 3, lasts: 20 * time.Second, plain: true},
	{name: "silent-all-defaults", how: silent, of: 3, lasts: 20 * time.Second, plain: true},
	{name: "role-moves-defaults", stop: true, of: 1, lasts: 12 * time.Second, plain: true},
}
