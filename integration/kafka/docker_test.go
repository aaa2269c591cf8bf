package kafka

import (
	"errors"
	"strings"
	"testing"
)

// Where testcontainers' own container keeps Docker from being of use, the way out leads.
func TestTheWayOutLeads(t *testing.T) {
	cause := errors.New("reaper: new reaper: run container: pull of testcontainers/ryuk: denied")
	err := unavailableIn("make a network", cause)
	if !strings.HasPrefix(err.Error(), "set TESTCONTAINERS_RYUK_DISABLED=true") || !errors.Is(err, cause) || !errors.Is(err, ErrUnavailable) {
		t.Errorf("the error is %q, want what to do first, and then the cause", err)
	}
	if err := unavailableIn("make a network", errors.New("denied")); err.Error() != "make a network: denied" {
		t.Errorf("another error is %q", err)
	}
}
