package sender

import (
	"fmt"
	"runtime/debug"
)

// crash ends the program if a step panics: an invariant of the sender is broken, and a caller that recovers, as servers do from
// what a request does, must not go on with it.
func crash() {
	if cause := recover(); cause != nil {
		stack := debug.Stack()
		go func() { panic(fmt.Sprintf("%v\n\n%s", cause, stack)) }()
		select {}
	}
}
