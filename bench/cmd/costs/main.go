//go:build unix

// Costs measures what a flood does not show, of Epistle and franz-go beside each other: producers that have nothing to do, a
// record in flight while its broker hangs, the first records to many topics, the time from New to the first acknowledgement,
// and what is left of the memory of a burst. Each figure is of a process of its own, against a sink in another; rounds of the
// two clients take turns, and medians are printed with what the rounds lie between.
//
//	costs                      all of it, five rounds: five minutes
//	costs -cases idle,hang -rounds 3 -last 20s
//
// It needs the program sink beside its own.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/epistle-kafka/epistle/bench/driver"
)

// A figure is one that a child has measured; a case has several, in the order of its table.
type figure struct {
	Name  string
	Value float64
}

func main() {
	names := flag.String("cases", "", "which, separated by commas; all without: "+strings.Join(caseNames(), ","))
	rounds := flag.Int("rounds", 5, "of each client")
	last := flag.Duration("last", 5*time.Second, "to watch a producer that waits")
	child := flag.String("child", "", "run this case in this process, for this program's own use")
	client := flag.String("client", "", "of the child")
	bootstrap := flag.String("b", "", "address of the sink, of the child")
	flag.Parse()
	if *child != "" {
		if err := runChild(*child, *client, *bootstrap, *last); err != nil {
			fatal(err)
		}
		return
	}
	head(*rounds)
	for _, c := range costs {
		if *names != "" && !slices.Contains(strings.Split(*names, ","), c.name) {
			continue
		}
		if err := c.compare(*rounds, *last); err != nil {
			fatal(fmt.Errorf("%s: %w", c.name, err))
		}
	}
}

// head begins the page.
func head(rounds int) {
	fmt.Printf("# What a flood does not show\n\nWritten by `bin/bench/costs` on %s, on %d cores, %s/%s, %s. Each figure is the median of %d rounds, in brackets what they lie between, "+
		"of a process of its own against a sink in another. Both clients have their defaults, so franz-go lingers for 10 ms and Epistle for 5.\n\n",
		time.Now().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), rounds)
	fmt.Printf("| what | epistle | franz-go %s |\n| --- | ---: | ---: |\n", strings.TrimPrefix(driver.ModuleVersion("github.com/twmb/franz-go"), "v"))
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// compare runs a case for both clients in turn, and prints its rows.
func (c *cost) compare(rounds int, last time.Duration) error {
	var order []string
	got := map[string]map[string][]float64{}
	for round := range rounds {
		for i := range clients {
			client := clients[(i+round)%len(clients)]
			figures, err := c.once(client, last)
			if err != nil {
				return fmt.Errorf("%s: %w", client, err)
			}
			for _, f := range figures {
				if got[f.Name] == nil {
					order = append(order, f.Name)
					got[f.Name] = map[string][]float64{}
				}
				got[f.Name][client] = append(got[f.Name][client], f.Value)
			}
		}
	}
	for _, name := range order {
		fmt.Printf("| %s: %s |", c.title, name)
		for _, client := range clients {
			fmt.Printf(" %s |", spread(got[name][client]))
		}
		fmt.Println()
	}
	return nil
}

// spread is the median of some figures, two digits of it, and what they lie between.
func spread(f []float64) string {
	if len(f) == 0 {
		return "–"
	}
	slices.Sort(f)
	text := func(f float64) string {
		if f >= 100 {
			return fmt.Sprintf("%.0f", f)
		}
		return fmt.Sprintf("%.2g", f)
	}
	least, median, most := text(f[0]), text(f[len(f)/2]), text(f[len(f)-1])
	if least == most {
		return median
	}
	return fmt.Sprintf("%s (%s…%s)", median, least, most)
}

// once runs a case in a process of its own, against a sink of its own.
func (c *cost) once(client string, last time.Duration) ([]figure, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	sink, address, err := startSink(filepath.Join(filepath.Dir(self), "sink"), c.sink)
	if err != nil {
		return nil, err
	}
	defer func() {
		sink.Process.Kill() // a stopped process, too
		sink.Wait()
	}()
	cmd := exec.Command(self, "-child", c.name, "-client", client, "-b", address, "-last", last.String())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	figures, err := c.listen(sink.Process, stdin, stdout)
	return figures, errors.Join(err, cmd.Wait())
}

// listen reads a child's output: "ready", if the sink is to hang from then on, and its figures at the end.
func (c *cost) listen(sink *os.Process, stdin io.Writer, stdout io.Reader) ([]figure, error) {
	var figures []figure
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if lines.Text() == "ready" {
			if err := sink.Signal(syscall.SIGSTOP); err != nil {
				return nil, err
			}
			fmt.Fprintln(stdin, "it hangs")
			continue
		}
		if err := json.Unmarshal(lines.Bytes(), &figures); err != nil {
			return nil, fmt.Errorf("the line %q of its child: %w", lines.Text(), err)
		}
	}
	return figures, lines.Err()
}

func startSink(program string, args []string) (cmd *exec.Cmd, address string, err error) {
	cmd = exec.Command(program, append([]string{"-listen", "127.0.0.1:0"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			return cmd, address, nil
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	return nil, "", errors.New("the sink did not say where it listens")
}
