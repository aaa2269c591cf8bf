// Effects measures what each setting changes, and what the ways to send cost, for docs/tuning.md: each case in a process of its
// own, against a sink in another, the cases of a table in turn, round by round.
//
//	effects                         all tables, on standard output: five minutes
//	effects -page docs/tuning.md    writes them into the page
//	effects -only linger -rounds 9
//
// It needs the program sink beside its own.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	only   string
	page   string
	rounds int
	last   time.Duration
	warmup time.Duration

	// Of a child.
	child  string
	broker string
	values string
}

func main() {
	var o options
	flag.StringVar(&o.only, "only", "", "which tables, separated by commas; all without: "+strings.Join(names(), ","))
	flag.StringVar(&o.page, "page", "", "the `file` to write the tables into, between their markers")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each case is run")
	flag.DurationVar(&o.last, "last", 500*time.Millisecond, "of a measurement")
	flag.DurationVar(&o.warmup, "warmup", 250*time.Millisecond, "before it")
	flag.StringVar(&o.child, "child", "", "run this case in this process, for this program's own use")
	flag.StringVar(&o.broker, "b", "", "address of the sink, of the child")
	flag.StringVar(&o.values, "values", "", "file of the values, of the child")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "effects:", err)
		os.Exit(1)
	}
}

func (o *options) run() error {
	if o.child != "" {
		return o.runChild()
	}
	if o.page != "" && o.only != "" {
		return errors.New("-page writes all tables, of one run: leave -only out")
	}
	dir, err := os.MkdirTemp("", "effects-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	m := &machine{options: o, values: dir}
	defer m.close()
	blocks := map[string]string{}
	if o.page != "" { // is there a place for each table? Before five minutes are spent
		for _, name := range append(names(), conditions) {
			blocks[name] = ""
		}
		if _, err := o.placed(blocks); err != nil {
			return err
		}
	}
	for i := range tables {
		t := &tables[i]
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), t.name) {
			continue
		}
		rows, err := t.measure(o.rounds, m.once)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		blocks[t.name] = t.render(rows)
		if o.page == "" {
			fmt.Printf("%s\n%s\n", t.name, blocks[t.name])
		}
	}
	if o.page == "" {
		fmt.Print(o.conditions())
		return nil
	}
	blocks[conditions] = o.conditions()
	page, err := o.placed(blocks)
	if err != nil {
		return err
	}
	return os.WriteFile(o.page, []byte(page), 0o666)
}

// placed is the page, as it is now, with these blocks.
func (o *options) placed(blocks map[string]string) (string, error) {
	text, err := os.ReadFile(o.page)
	if err != nil {
		return "", err
	}
	page := string(text)
	for name, block := range blocks {
		if page, err = placed(page, name, block); err != nil {
			return "", fmt.Errorf("%s: %w", o.page, err)
		}
	}
	return page, nil
}

// machine runs cases in processes of their own, against sinks that go on.
type machine struct {
	*options
	values string // a directory with files of values
	sinks  []*sink
}

type sink struct {
	flags   []string
	address string
	cmd     *exec.Cmd
}

func (m *machine) close() {
	for _, s := range m.sinks {
		s.cmd.Process.Kill()
		s.cmd.Wait()
	}
}

// sink is one with these flags.
func (m *machine) sink(program string, flags []string) (*sink, error) {
	if i := slices.IndexFunc(m.sinks, func(s *sink) bool { return slices.Equal(s.flags, flags) }); i >= 0 {
		return m.sinks[i], nil
	}
	s := &sink{flags: flags, cmd: exec.Command(program, append([]string{"-listen", "127.0.0.1:0"}, flags...)...)}
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (go build -C bench -o ../bin/bench/ ./cmd/... builds it)", err)
	}
	m.sinks = append(m.sinks, s)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if address, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			s.address = address
			return s, nil
		}
	}
	return nil, errors.New("the sink did not say where it listens")
}

// once runs a case.
func (m *machine) once(t *table, c *effect) (figures, error) {
	self, err := os.Executable()
	if err != nil {
		return figures{}, err
	}
	s, err := m.sink(filepath.Join(filepath.Dir(self), "sink"), t.sink)
	if err != nil {
		return figures{}, err
	}
	values, err := m.file(c)
	if err != nil {
		return figures{}, err
	}
	cmd := exec.Command(self, "-child", t.name+"/"+c.what, "-b", s.address, "-last", m.last.String(), "-warmup", m.warmup.String(), "-values", values)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return figures{}, err
	}
	var f figures
	err = json.Unmarshal(out, &f)
	return f, err
}

// runChild is the process of a case.
func (o *options) runChild() error {
	for i := range tables {
		for j := range tables[i].effects {
			c := &tables[i].effects[j]
			if tables[i].name+"/"+c.what == o.child {
				f, err := c.run(o.broker, o.values, o.warmup, o.last)
				if err != nil {
					return err
				}
				return json.NewEncoder(os.Stdout).Encode(f)
			}
		}
	}
	return fmt.Errorf("no case %q", o.child)
}
