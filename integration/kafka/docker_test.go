package kafka

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// testcontainers starts no container of its own, whatever the environment says, and commands that we start have it as it was.
func TestRyukIsSwitchedOffForUsAlone(t *testing.T) {
	const variable = "TESTCONTAINERS_RYUK_DISABLED"
	t.Setenv(variable, "false")
	withoutRyuk()
	if !testcontainers.ReadConfig().RyukDisabled {
		t.Error("testcontainers would start ryuk")
	}
	if got := os.Getenv(variable); got != "false" {
		t.Errorf("%s is %q afterwards, want it as it was", variable, got)
	}
}

// A fakeEngine has containers and networks with labels; some appear late, as those that were being made.
type fakeEngine struct {
	client.APIClient
	containers, networks map[string]string // labels by ID
	late                 map[string]string // containers that the second look is the first to see
	looks                int
	removed              []string
}

func (f *fakeEngine) ContainerList(_ context.Context, o client.ContainerListOptions) (r client.ContainerListResult, _ error) {
	if f.looks++; f.looks == 2 {
		for id, label := range f.late {
			f.containers[id] = label
		}
	}
	for id, label := range f.containers {
		if o.All && o.Filters["label"][label] {
			r.Items = append(r.Items, container.Summary{ID: id})
		}
	}
	return r, nil
}

func (f *fakeEngine) NetworkList(_ context.Context, o client.NetworkListOptions) (r client.NetworkListResult, _ error) {
	for id, label := range f.networks {
		if o.Filters["label"][label] {
			r.Items = append(r.Items, network.Summary{Network: network.Network{ID: id}})
		}
	}
	return r, nil
}

func (f *fakeEngine) ContainerRemove(_ context.Context, id string, o client.ContainerRemoveOptions) (r client.ContainerRemoveResult, _ error) {
	if !o.Force || !o.RemoveVolumes {
		return r, errors.New("it runs, or its volumes would stay")
	}
	delete(f.containers, id)
	f.removed = append(f.removed, id)
	return r, nil
}

func (f *fakeEngine) NetworkRemove(_ context.Context, id string, _ client.NetworkRemoveOptions) (r client.NetworkRemoveResult, _ error) {
	if len(f.containers) > 1 { // besides the one that is not ours
		return r, errors.New("the network has endpoints")
	}
	delete(f.networks, id)
	f.removed = append(f.removed, id)
	return r, nil
}

// After the end of a process the reaper removes all that bears its label, what the engine was still making included, and
// nothing else.
func TestTheReaperFindsWhatWasBeingMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeEngine{
			containers: map[string]string{"kafka1": "cluster=ours", "another": "cluster=theirs"},
			networks:   map[string]string{"net": "cluster=ours", "their net": "cluster=theirs"},
			late:       map[string]string{"kafka2": "cluster=ours"},
		}
		sweep(t.Context(), f, "cluster=ours")
		if want := []string{"kafka1", "net", "kafka2"}; !slices.Equal(f.removed, want) {
			t.Errorf("removed: %q, want %q", f.removed, want)
		}
	})
}

// An image that cannot be pulled is told of at the first failure, and given up half a minute later.
func TestAPullThatFailsIsToldAtOnceAndGivenUpSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		ctx, giveUp := context.WithCancelCause(t.Context())
		p := &pulls{o: Options{Version: "4.4.0", Log: &said}, giveUp: giveUp, began: time.Now()}
		p.Printf("No image auth found for %s.", "index")
		refused := errors.New("lookup registry: no such host")
		for range 3 {
			time.Sleep(pullPatience/2 - time.Second)
			p.Printf("Failed to pull image: %s, will retry", refused)
			if strings.Count(said.String(), "docker: pull apache/kafka:4.4.0: lookup registry: no such host; it is tried again until ") != 1 ||
				strings.Count(said.String(), "\n") != 1 {
				t.Errorf("it said %q, want the reason once", said.String())
			}
		}
		if want := "pull apache/kafka:4.4.0: lookup registry: no such host"; ctx.Err() == nil || context.Cause(ctx).Error() != want {
			t.Errorf("after %s it has ended by %v, want %q", time.Since(p.began), context.Cause(ctx), want)
		}
	})
}
