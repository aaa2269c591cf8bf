// Package nap sleeps to the microsecond.
package nap

import "time"

// Until sleeps until then, or a little longer.
func Until(then time.Time) {
	for {
		left := time.Until(then)
		if left <= 0 {
			return
		}
		sleep(left)
	}
}
