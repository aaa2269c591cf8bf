package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
)

// containers runs brokers in Docker. testcontainers makes them; they are controlled through Docker's
// own API, which can also kill and pause.
type containers struct {
	docker  client.APIClient
	network *testcontainers.DockerNetwork
	all     []testcontainers.Container // by broker
}

// dockerTimeout bounds each question to the engine but those that make a container, which may have
// to pull the image.
const dockerTimeout = time.Minute

// The ports inside a container; the first one is published on 127.0.0.1.
const (
	clientPort     = "9092"
	internalPort   = "9094"
	controllerPort = "9093"
)

// openDocker starts brokers as containers of apache/kafka.
func openDocker(ctx context.Context, o Options) (*Cluster, error) {
	if len(o.Listeners) > 0 || len(o.JVM) > 0 || len(o.ClassPath) > 0 {
		return nil, unavailable("the brokers need further listeners, or options or classes of the JVM, which containers do not get here")
	}
	docker, err := findDocker(ctx)
	if err != nil {
		return nil, err
	}
	d := &containers{docker: docker}
	c := &Cluster{Version: o.Version, nodes: d}
	began := time.Now()
	if err := d.create(ctx, o, c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if err := c.startAll(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	o.logf("started in %s", time.Since(began).Round(100*time.Millisecond))
	return c, nil
}

// findDocker looks for an engine that answers. The library panics where it finds no trace of one.
func findDocker(ctx context.Context) (docker client.APIClient, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			docker, err = nil, unavailable("no Docker engine: %v", cause)
		}
	}()
	tclog.SetDefault(silent{})
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return nil, unavailable("no Docker engine: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, dockerTimeout)
	defer cancel()
	if _, err := provider.Client().Ping(ctx, client.PingOptions{}); err != nil {
		return nil, unavailable("the Docker engine does not answer: %w", err)
	}
	return provider.Client(), nil
}

// silent keeps the library from telling of each container; Open says what matters.
type silent struct{}

func (silent) Printf(string, ...any) {}

// create makes the containers, and for several brokers a network where they find each other by name.
func (d *containers) create(ctx context.Context, o Options, c *Cluster) error {
	net, err := tcnetwork.New(ctx)
	if err != nil {
		return unavailableIn("make a network", err)
	}
	d.network = net
	if err := theReaper.entrust("network", net.ID); err != nil {
		return err
	}
	ports, err := freePorts(o.Brokers)
	if err != nil {
		return err
	}
	var at []endpoints
	for i, port := range ports {
		name := fmt.Sprintf("kafka%d", i+1)
		at = append(at, endpoints{
			client: loopback(port), internal: name + ":" + internalPort, controller: name + ":" + controllerPort,
			clientListen: "0.0.0.0:" + clientPort, internalListen: "0.0.0.0:" + internalPort, controllerListen: "0.0.0.0:" + controllerPort,
		})
		c.addresses = append(c.addresses, loopback(port))
	}
	for i := range at {
		made, err := d.container(ctx, o, i, at)
		if err != nil {
			return unavailableIn("make a container", err)
		}
		d.all = append(d.all, made)
		if err := theReaper.entrust("container", made.GetContainerID()); err != nil {
			return err
		}
	}
	return nil
}

// unavailableIn says what Docker could not do. Where it is testcontainers' own container that did not start, what to do
// about that comes first: the rest is long, and none of it names the way out.
func unavailableIn(step string, err error) error {
	if strings.Contains(err.Error(), "reaper") {
		return unavailable("set TESTCONTAINERS_RYUK_DISABLED=true and try again: testcontainers cannot start the container that cleans up "+
			"after it (testcontainers/ryuk), which is not needed, as a process of our own does that (%s: %w)", step, err)
	}
	return unavailable("%s: %w", step, err)
}

// container makes that of broker i without starting it.
func (d *containers) container(ctx context.Context, o Options, i int, at []endpoints) (testcontainers.Container, error) {
	env := map[string]string{
		"CLUSTER_ID":        "ZXBpc3RsZS1jbHVzdGVyMQ",
		"KAFKA_HEAP_OPTS":   maxHeap,
		"JAVA_TOOL_OPTIONS": strings.Join(quickStart, " "),
	}
	for key, value := range o.properties(i, at, "/tmp/kraft-combined-logs") {
		env[environmentName(key)] = value
	}
	name, _, _ := strings.Cut(at[i].internal, ":")
	_, port, _ := strings.Cut(at[i].client, ":")
	published := network.MustParsePort(clientPort + "/tcp")
	made, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		Logger: silent{},
		ContainerRequest: testcontainers.ContainerRequest{
			Image:          "apache/kafka:" + o.Version,
			Env:            env,
			ExposedPorts:   []string{published.String()},
			Networks:       []string{d.network.Name},
			NetworkAliases: map[string][]string{d.network.Name: {name}},
			ConfigModifier: func(config *container.Config) { config.Hostname = name },
			HostConfigModifier: func(host *container.HostConfig) {
				host.PortBindings = network.PortMap{published: {{HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: port}}}
			},
		},
	})
	if err != nil && made != nil {
		err = errors.Join(err, made.Terminate(context.WithoutCancel(ctx)))
	}
	return made, err
}

// environmentName is how the image is told a line of server.properties.
func environmentName(key string) string {
	return "KAFKA_" + strings.ToUpper(strings.NewReplacer(".", "_", "_", "__", "-", "___").Replace(key))
}

func (d *containers) id(i int) string { return d.all[i].GetContainerID() }

// ask does something with the engine within dockerTimeout.
func ask(do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), dockerTimeout)
	defer cancel()
	return do(ctx)
}

func (d *containers) start(ctx context.Context, i int) error {
	_, err := d.docker.ContainerStart(ctx, d.id(i), client.ContainerStartOptions{})
	return err
}

func (d *containers) kill(i int) error {
	return ask(func(ctx context.Context) error {
		if _, err := d.docker.ContainerKill(ctx, d.id(i), client.ContainerKillOptions{Signal: "SIGKILL"}); err != nil {
			return err
		}
		for !d.exited(i) {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
		}
		return nil
	})
}

func (d *containers) stop(i int) error {
	return ask(func(ctx context.Context) error {
		seconds := int(stopTimeout.Seconds())
		_, err := d.docker.ContainerStop(ctx, d.id(i), client.ContainerStopOptions{Timeout: &seconds})
		return err
	})
}

func (d *containers) pause(i int) error {
	return ask(func(ctx context.Context) error {
		_, err := d.docker.ContainerPause(ctx, d.id(i), client.ContainerPauseOptions{})
		return err
	})
}

func (d *containers) resume(i int) error {
	return ask(func(ctx context.Context) error {
		_, err := d.docker.ContainerUnpause(ctx, d.id(i), client.ContainerUnpauseOptions{})
		return err
	})
}

// exited takes a container about which the engine says nothing for one that runs.
func (d *containers) exited(i int) bool {
	running := true
	err := ask(func(ctx context.Context) error {
		state, err := d.all[i].State(ctx)
		if err == nil {
			running = state.Running
		}
		return err
	})
	return err == nil && !running
}

func (d *containers) logs(i int) string {
	var text []byte
	err := ask(func(ctx context.Context) error {
		stream, err := d.all[i].Logs(ctx)
		if err != nil {
			return err
		}
		defer stream.Close()
		text, err = io.ReadAll(stream)
		return err
	})
	if err != nil {
		return fmt.Sprintf("%s\n(the log cannot be read: %v)", text, err)
	}
	return string(text)
}

func (d *containers) close() error {
	var all []error
	for _, made := range d.all {
		err := ask(func(ctx context.Context) error { return forceRemove(ctx, d.docker, made.GetContainerID()) })
		if err == nil {
			theReaper.release("container", made.GetContainerID())
		}
		all = append(all, err)
	}
	if d.network != nil {
		err := ask(d.network.Remove)
		if err == nil {
			theReaper.release("network", d.network.ID)
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

// forceRemove ends a container at once, also a paused one, and removes it with its volumes.
func forceRemove(ctx context.Context, docker client.APIClient, id string) error {
	_, err := docker.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	return err
}

// removeContainer and removeNetwork are the reaper's.
func removeContainer(id string) {
	_ = ask(func(ctx context.Context) error {
		docker, err := findDocker(ctx)
		if err != nil {
			return err
		}
		return forceRemove(ctx, docker, id)
	})
}

func removeNetwork(id string) {
	_ = ask(func(ctx context.Context) error {
		docker, err := findDocker(ctx)
		if err != nil {
			return err
		}
		_, err = docker.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
		return err
	})
}
