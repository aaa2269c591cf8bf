package cli

import (
	"runtime/debug"
	"strings"
	"testing"
)

// The line that makes the command with all mechanisms fits where this build is from: a clone, or a module that was downloaded.
func TestHowToGetAllFitsTheBuild(t *testing.T) {
	const install = "An epistle that has all mechanisms is made by: go install github.com/epistle-kafka/epistle/cmd/epistle/full/epistle@"
	for _, test := range []struct {
		name string
		main *debug.Module
		want string
	}{
		{"unknown", nil, "in a clone of the repository, by: go build -C "},
		{"a clone", &debug.Module{Version: "(devel)"}, "in a clone of the repository, by: go build -C "},
		{"a clone at a tag", &debug.Module{Version: "v0.2.0"}, "in a clone of the repository, by: go build -C "},
		{"a release", &debug.Module{Version: "v0.2.0", Sum: "h1:x"}, install + "v0.2.0"},
		{"a release before another", &debug.Module{Version: "v0.2.0-rc.1", Sum: "h1:x"}, install + "v0.2.0-rc.1"},
		{"a commit", &debug.Module{Version: "v0.2.1-0.20261201124747-fbe0f4970d40", Sum: "h1:x"}, install + "latest"},
		{"a commit after a release before another", &debug.Module{Version: "v0.2.0-rc.1.0.20261201124747-fbe0f4970d40", Sum: "h1:x"}, install + "latest"},
	} {
		var info *debug.BuildInfo
		if test.main != nil {
			info = &debug.BuildInfo{Main: *test.main}
		}
		if got := howToGetAll(info); !strings.HasSuffix(got, test.want) && !strings.Contains(got, test.want+"cmd/") {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
