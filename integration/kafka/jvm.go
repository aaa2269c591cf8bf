package kafka

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// jvm runs brokers as processes of this machine.
type jvm struct {
	java, classpath string
	dir             string   // holds a directory for each broker, removed by close
	options         []string // further ones of each broker's JVM

	mu        sync.Mutex // guards processes, not what they hold
	processes []*process // by broker, nil before the first start
}

// process is one run of a broker.
type process struct {
	cmd  *exec.Cmd
	gone chan struct{} // closed when it has ended and was waited for
}

// stopTimeout is how long a broker may take to shut down before it is killed.
const stopTimeout = 30 * time.Second

// maxHeap is every broker's.
const maxHeap = "-Xmx512m"

// quickStart asks a JVM for one collector thread and the compiler that is done first: the seconds
// after its start are what most tests see of a broker.
var quickStart = []string{"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}

// openJVM starts brokers with the JVM and the jars of this machine.
func openJVM(ctx context.Context, o Options) (*Cluster, error) {
	java, err := findJava()
	if err != nil {
		return nil, err
	}
	jars, err := o.jars(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "epistle-kafka-")
	if err != nil {
		return nil, err
	}
	if err := theReaper.entrust("dir", dir); err != nil {
		return nil, err
	}
	classpath := strings.Join(append(slices.Clone(o.ClassPath), filepath.Join(jars, "*")), string(os.PathListSeparator))
	j := &jvm{java: java, classpath: classpath, dir: dir, options: o.JVM, processes: make([]*process, o.Brokers)}
	c := &Cluster{Version: o.Version, nodes: j}
	began := time.Now()
	defer o.keepTelling("the JVM starts Kafka")()
	if err := j.prepare(ctx, o, c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if err := c.startAll(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	o.logf("started in %s", time.Since(began).Round(100*time.Millisecond))
	return c, nil
}

func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		if java, err := exec.LookPath(filepath.Join(home, "bin", "java")); err == nil {
			return java, nil
		}
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return "", unavailable("no java, neither in JAVA_HOME nor in PATH")
	}
	return java, nil
}

// prepare chooses the ports, and writes and formats each broker's directory.
func (j *jvm) prepare(ctx context.Context, o Options, c *Cluster) error {
	each := 3 + len(o.Listeners)
	ports, err := freePorts(each * o.Brokers)
	if err != nil {
		return err
	}
	var at []endpoints
	for p := range slices.Chunk(ports, each) {
		e := endpoints{client: loopback(p[0]), internal: loopback(p[1]), controller: loopback(p[2])}
		e.clientListen, e.internalListen, e.controllerListen = e.client, e.internal, e.controller
		further := make(map[string]string)
		for n, l := range o.Listeners {
			e.further = append(e.further, l.at(p[3+n]))
			further[l.Name] = e.further[n]
		}
		at = append(at, e)
		c.addresses, c.further = append(c.addresses, e.client), append(c.further, further)
	}
	if err := os.WriteFile(filepath.Join(j.dir, "log4j2.xml"), []byte(log4j), 0o644); err != nil {
		return err
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[0] &= 0x7f           // a text that began with "-" would be taken for an option
	clusterID := base64.RawURLEncoding.EncodeToString(id[:])
	failed := make(chan error, o.Brokers) // each format sends one
	for i := range o.Brokers {
		if err := os.Mkdir(j.home(i), 0o755); err != nil {
			return err
		}
		if err := writeProperties(j.properties(i), o.properties(i, at, filepath.Join(j.home(i), "data"))); err != nil {
			return err
		}
		go func() { failed <- j.format(ctx, clusterID, i) }()
	}
	var all []error
	for range o.Brokers {
		all = append(all, <-failed)
	}
	return errors.Join(all...)
}

func (j *jvm) home(i int) string       { return filepath.Join(j.dir, strconv.Itoa(i)) }
func (j *jvm) properties(i int) string { return filepath.Join(j.home(i), "server.properties") }
func (j *jvm) logFile(i int) string    { return filepath.Join(j.home(i), "broker.log") }

func writeProperties(name string, properties map[string]string) error {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		// A backslash is an escape in such a file, and in a Windows path it is not meant as one.
		fmt.Fprintf(&text, "%s=%s\n", key, strings.ReplaceAll(properties[key], `\`, `\\`))
	}
	return os.WriteFile(name, []byte(text.String()), 0o644)
}

// format gives the broker's log directory its identity, as Kafka demands before a first start.
func (j *jvm) format(ctx context.Context, clusterID string, i int) error {
	cmd := exec.CommandContext(ctx, j.java, j.arguments("-Xmx128m", "kafka.tools.StorageTool",
		"format", "-t", clusterID, "-c", j.properties(i))...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("format the directory of broker %d: %w: %s", i, err, tail(string(out), 20))
	}
	return nil
}

func (j *jvm) arguments(heap, class string, arguments ...string) []string {
	return slices.Concat([]string{heap}, quickStart,
		[]string{"-Dlog4j2.configurationFile=" + filepath.Join(j.dir, "log4j2.xml"), "-cp", j.classpath, class}, arguments)
}

func (j *jvm) start(_ context.Context, i int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if p := j.processes[i]; p != nil && !p.ended() {
		return fmt.Errorf("it runs already, as process %d", p.cmd.Process.Pid)
	}
	log, err := os.OpenFile(j.logFile(i), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(j.java, append(slices.Clone(j.options), j.arguments(maxHeap, "kafka.Kafka", j.properties(i))...)...)
	cmd.Dir = j.home(i)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &process{cmd: cmd, gone: make(chan struct{})}
	j.processes[i] = p
	pid := strconv.Itoa(cmd.Process.Pid)
	trusted := theReaper.entrust("pid", pid)
	go func() { // ends with the broker
		_ = cmd.Wait() // how it ended is in its log
		theReaper.release("pid", pid)
		close(p.gone)
	}()
	return trusted
}

func (p *process) ended() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// running is the present run of broker i, or an error if there is none.
func (j *jvm) running(i int) (*process, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if p := j.processes[i]; p != nil && !p.ended() {
		return p, nil
	}
	return nil, errors.New("it is not running")
}

func (j *jvm) kill(i int) error {
	p, err := j.running(i)
	if err != nil {
		return err
	}
	killGroup(p.cmd.Process.Pid)
	<-p.gone
	return nil
}

func (j *jvm) stop(i int) error {
	p, err := j.running(i)
	if err != nil {
		return err
	}
	if err := interrupt(p.cmd.Process); err != nil {
		return err
	}
	select {
	case <-p.gone:
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("it did not shut down within %s and was killed", stopTimeout), j.kill(i))
	}
}

func (j *jvm) pause(i int) error  { return j.signal(i, freeze) }
func (j *jvm) resume(i int) error { return j.signal(i, thaw) }

func (j *jvm) signal(i int, send func(*os.Process) error) error {
	p, err := j.running(i)
	if err != nil {
		return err
	}
	return send(p.cmd.Process)
}

func (j *jvm) exited(i int) bool {
	_, err := j.running(i)
	return err != nil
}

func (j *jvm) logs(i int) string {
	text, err := os.ReadFile(j.logFile(i))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// close kills the brokers, since nobody will want their data, and removes what they wrote.
func (j *jvm) close() error {
	for i := range j.processes {
		if !j.exited(i) {
			_ = j.kill(i) // an error says that it has just ended by itself
		}
	}
	err := os.RemoveAll(j.dir)
	if err == nil {
		theReaper.release("dir", j.dir)
	}
	return err
}
