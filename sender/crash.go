package sender

import (
	"fmt"
	"runtime/debug"
)

// crash ends the program if a step panics. An invariant of the sender is broken then, and a caller that recovers from panics,
// as servers do, must not go on using it.
func crash() {
	if cause := recover(); cause != nil {
		stack := debug.Stack()
		go func() { panic(fmt.Sprintf("%v\n\n%s", cause, stack)) }()
		select {}
	}
}
