package wire

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// lateCredentials is how long credentials may be on their way before somebody is told that they have not come.
const lateCredentials = 3 * time.Second

var errLateCredentials = fmt.Errorf("nothing has come from their source for %v", lateCredentials)

// An obstacle is what keeps the credentials of one authentication from coming, according to the mechanism. What the mechanism
// says after it has returned, or was left behind, does not count.
type obstacle struct {
	report func(error) // does not block, and is not changed while the mechanism is at work; nil: nobody listens

	mu    sync.Mutex // guards the following; not held while report is called
	err   error      // nil: there is none
	clear bool       // report was called with nil
	end   bool
}

// say is called by the mechanism, from any goroutine, with what is in the way now; nil: nothing is any more.
func (o *obstacle) say(err error) {
	o.mu.Lock()
	news := !o.end && (err != nil || o.err != nil)
	if news {
		o.err, o.clear = err, err == nil
	}
	o.mu.Unlock()
	if news && o.report != nil {
		o.report(err)
	}
}

// late notes that nothing has come for long, unless the mechanism has given a reason.
func (o *obstacle) late() {
	o.mu.Lock()
	news := !o.end && o.err == nil
	if news {
		o.err, o.clear = errLateCredentials, false
	}
	o.mu.Unlock()
	if news && o.report != nil {
		o.report(errLateCredentials)
	}
}

// came ends the obstacle: there are credentials. The mechanism may have said that something is in the way of the next ones.
func (o *obstacle) came() {
	o.mu.Lock()
	over := !o.clear && (o.err == nil || o.err == errLateCredentials)
	o.end = true
	o.mu.Unlock()
	if over && o.report != nil {
		o.report(nil)
	}
}

// explain ends the obstacle, too: err is why there are no credentials. If that is a timeout, the obstacle is added.
func (o *obstacle) explain(ctx context.Context, err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.end = true
	if o.err == nil || ctx.Err() == nil || !errors.Is(err, context.Cause(ctx)) || errors.Is(err, o.err) {
		return err
	}
	return fmt.Errorf("%w; %w", o.err, err)
}
