package kafka

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"sync"
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
	mark    string                     // the label, as key=value, of all that is made
	network string                     // by its name
	all     []testcontainers.Container // by broker
	whole   bool                       // whether each was made: no request to make one can be on its way
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
	d := &containers{docker: docker, mark: markKey + "=" + rand.Text()}
	// What is made after this process has ended is found, too: the reaper knows the mark before anything bears it.
	if err := theReaper.entrust("marked", d.mark); err != nil {
		return nil, err
	}
	c := &Cluster{Version: o.Version, nodes: d}
	began := time.Now()
	defer o.keepTelling("Docker makes and starts " + image(o) + ", and pulls it first where it is not there")()
	if err := d.create(ctx, o, c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if err := c.startAll(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	o.logf("started in %s", time.Since(began).Round(100*time.Millisecond))
	return c, nil
}

// image is what the containers run.
func image(o Options) string { return "apache/kafka:" + o.Version }

// withoutRyuk switches off ryuk, the container by which testcontainers cleans up. Its image is not Kafka's, and where it cannot
// be pulled, minutes pass until testcontainers says so, and no container is made. theReaper covers what ryuk does: both learn of
// our end by a connection that closes, whether Close was forgotten, or a panic, Ctrl-C, a test's timeout or a SIGKILL ended us, and
// both go by a label, so that they find what was being made at that moment. ryuk alone survives where all processes of a user
// are killed at once, and the engine is not: the label says then what to remove.
//
// testcontainers keeps what it has read, so the environment is given back: a command that we start may use ryuk.
var withoutRyuk = sync.OnceFunc(func() {
	const variable = "TESTCONTAINERS_RYUK_DISABLED"
	before, set := os.LookupEnv(variable)
	os.Setenv(variable, "true")
	testcontainers.ReadConfig()
	if set {
		os.Setenv(variable, before)
	} else {
		os.Unsetenv(variable)
	}
})

// findDocker looks for an engine that answers. The library panics where it finds no trace of one.
func findDocker(ctx context.Context) (docker client.APIClient, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			docker, err = nil, unavailable("no Docker engine: %v", cause)
		}
	}()
	withoutRyuk()
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

// pulls hears of the library, on the goroutine that waits for it, each time that the image cannot be pulled. The library tries
// again for a quarter of an hour; pulls tells the first reason at once, and gives up after pullPatience.
type pulls struct {
	o      Options
	giveUp context.CancelCauseFunc
	began  time.Time
	told   bool
}

// pullPatience is how long a pull that fails is tried again.
const pullPatience = 30 * time.Second

func (p *pulls) Printf(format string, args ...any) {
	if !strings.HasPrefix(format, "Failed to pull image") {
		return
	}
	err := fmt.Errorf("pull %s: %v", image(p.o), args[0])
	if time.Since(p.began) >= pullPatience {
		p.giveUp(err)
	} else if !p.told {
		p.told = true
		p.o.logf("docker: %v; it is tried again until %s", err, p.began.Add(pullPatience).Format(time.TimeOnly))
	}
}

// create makes the containers, and for several brokers a network where they find each other by name.
func (d *containers) create(ctx context.Context, o Options, c *Cluster) error {
	net, err := tcnetwork.New(ctx, tcnetwork.WithLabels(d.labels()))
	if err != nil {
		return unavailable("make a network: %w", err)
	}
	d.network = net.Name
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
			return unavailable("make a container: %w", err)
		}
		d.all = append(d.all, made)
	}
	d.whole = true
	return nil
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
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	made, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		Logger: &pulls{o: o, giveUp: giveUp, began: time.Now()},
		ContainerRequest: testcontainers.ContainerRequest{
			Image:          image(o),
			Labels:         d.labels(),
			Env:            env,
			ExposedPorts:   []string{published.String()},
			Networks:       []string{d.network},
			NetworkAliases: map[string][]string{d.network: {name}},
			ConfigModifier: func(config *container.Config) { config.Hostname = name },
			HostConfigModifier: func(host *container.HostConfig) {
				host.PortBindings = network.PortMap{published: {{HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: port}}}
			},
		},
	})
	if cause := context.Cause(ctx); err != nil && cause != ctx.Err() {
		err = cause // that of pulls
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

// close removes the containers and the network. The reaper looks again at the end of this process, unless all is known to be gone.
func (d *containers) close() error {
	err := ask(func(ctx context.Context) error {
		_, err := removeMarked(ctx, d.docker, d.mark)
		return err
	})
	if err == nil && d.whole {
		theReaper.release("marked", d.mark)
	}
	return err
}

// markKey is the key of the label that each container and each network bears; its value is a cluster's own.
const markKey = "epistle-integration.cluster"

func (d *containers) labels() map[string]string {
	key, value, _ := strings.Cut(d.mark, "=")
	return map[string]string{key: value}
}

// removeMarked removes the containers that bear the label, with their volumes, at once and also paused ones, and then the
// networks. It returns how many there were.
func removeMarked(ctx context.Context, docker client.APIClient, mark string) (found int, err error) {
	containers, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", mark)})
	if err != nil {
		return 0, err
	}
	networks, err := docker.NetworkList(ctx, client.NetworkListOptions{Filters: make(client.Filters).Add("label", mark)})
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, c := range containers.Items {
		_, err := docker.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		failed = append(failed, err)
	}
	for _, n := range networks.Items {
		_, err := docker.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		failed = append(failed, err)
	}
	return len(containers.Items) + len(networks.Items), errors.Join(failed...)
}

// The reaper looks until it has found nothing this many times, a while apart: the engine may still be making what it was asked for.
const (
	reaperLooks = 4
	reaperPause = time.Second
)

// sweep is the reaper's: it removes what bears the label, and what comes to bear it.
func sweep(ctx context.Context, docker client.APIClient, mark string) {
	for nothing := 0; nothing < reaperLooks; {
		if found, err := removeMarked(ctx, docker, mark); found > 0 || err != nil {
			nothing = 0
		} else {
			nothing++
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(reaperPause):
		}
	}
}

// sweepDocker is sweep with the engine of this environment.
func sweepDocker(mark string) {
	_ = ask(func(ctx context.Context) error {
		docker, err := findDocker(ctx)
		if err == nil {
			sweep(ctx, docker, mark)
		}
		return err
	})
}
