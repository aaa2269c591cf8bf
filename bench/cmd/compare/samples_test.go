package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReportFromSamples guards that a report can be written again from what the runs have left, to the last letter.
func TestReportFromSamples(t *testing.T) {
	dir := t.TempDir()
	// A copy, since who was left out is noted in it.
	team := func() []*peer {
		var list []*peer
		for _, p := range peers {
			p := *p
			list = append(list, &p)
		}
		return list
	}
	measured := &runner{builder: &builder{source: dir, bin: dir}, peers: team(), rounds: 3, date: "2001-02-03", machine: "an abacus"}
	measured.peers[len(measured.peers)-1].missing = errors.New("it needs a JDK")
	list := outcomes()
	list[1].more = []sum{{of(1e6)[0], of(2e6)[0], of(2e6)[0]}}
	for i, trip := range []float64{50, 300, 70} {
		list[1].by[epistle][i].Trip = trip
	}
	if err := measured.writeSamples(list); err != nil {
		t.Fatal(err)
	}
	want := measured.markdown(list, "report.svg")

	later := &runner{builder: &builder{source: dir, bin: dir}, peers: team(), rounds: 5, date: "2009-09-09", machine: "another"}
	if err := later.fromSamples(later.samplesFile(), true); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "REPORT.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		before, after := strings.Split(want, "\n"), strings.Split(string(got), "\n")
		i := 0
		for i < min(len(before), len(after)) && before[i] == after[i] {
			i++
		}
		t.Errorf("from line %d on the report is\n%q\nwant\n%q", i+1, slices.Concat(after, []string{""})[i], slices.Concat(before, []string{""})[i])
	}

	if err := os.WriteFile(later.samplesFile(), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := later.fromSamples(later.samplesFile(), false); err == nil || !strings.Contains(err.Error(), later.samplesFile()) {
		t.Errorf("samples that are cut off give error %v, want one that names the file", err)
	}
}
