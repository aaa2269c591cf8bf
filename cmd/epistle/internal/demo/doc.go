// Package demo is the command that shows the main job on whatever is at hand: it sends a real file and checks what became of
// every record. On brokers of its own it reads their logs; on a real cluster it compares offsets, since it is no consumer.
package demo
