package demo

// report prints the outcome of each check in a line.
type report struct {
	d      *demo
	failed int
}

// passed says what was found to be so.
func (r *report) passed(format string, args ...any) { r.d.say("  ok      "+format, args...) }

// wrong says what was not.
func (r *report) wrong(format string, args ...any) {
	r.failed++
	r.d.say("  WRONG   "+format, args...)
}
