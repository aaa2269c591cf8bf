package app

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/complete"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/internal/notrun"
)

// A shell that runs the test's binary with this variable set runs epistle.
const asEpistle = "EPISTLE_TEST_RUNS_EPISTLE"

func TestMain(m *testing.M) {
	if os.Getenv(asEpistle) != "" {
		os.Exit(Run(&cli.Env{Stdin: os.Stdin, Stdout: os.Stdout, Screen: ui.NewScreen(os.Stderr, false, nil)}, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// completed asks what the last word may become, as the scripts do.
func completed(t *testing.T, words ...string) (also string, texts []string) {
	t.Helper()
	out := epistle(t, 0, "", append([]string{complete.Ask, "--"}, words...)...).stdout.String()
	for i, line := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		text, _, tabbed := strings.Cut(line, "\t")
		switch {
		case i == 0 && strings.HasPrefix(text, "+"):
			also = text
		case !tabbed:
			t.Errorf("epistle %q: the line %q has no tab", words, line)
		default:
			texts = append(texts, text)
		}
	}
	return also, texts
}

func TestCompletion(t *testing.T) {
	for _, test := range []struct {
		words []string
		also  string
		want  []string // some of the candidates
		not   []string
	}{
		{[]string{""}, "+", []string{"demo", "produce", "perf", "help", "version", "completion"}, []string{complete.Ask}},
		{[]string{"p"}, "+", []string{"produce", "perf"}, []string{"demo"}},
		{[]string{"help", ""}, "+", []string{"produce", "perf", "version", "completion"}, []string{"--topic"}},
		{[]string{"completion", ""}, "+", []string{"bash", "zsh", "fish", "powershell"}, nil},
		{[]string{"completion", "bash", ""}, "+", nil, nil},
		{[]string{"nonsense", "-"}, "+", nil, nil},
		{[]string{"produce", "-"}, "+", []string{"-t", "--topic", "-X", "--property", "--help"}, nil},
		{[]string{"produce", "--t"}, "+", []string{"--topic", "--transactional-id"}, []string{"--bootstrap", "-t"}},
		{[]string{"produce", ""}, "+files", nil, []string{"--topic"}},
		{[]string{"produce", "--", "-"}, "+files", nil, []string{"--topic"}},
		{[]string{"perf", ""}, "+", nil, nil},
		{[]string{"produce", "-z", ""}, "+", []string{"none", "gzip", "snappy", "lz4", "zstd"}, nil},
		{[]string{"produce", "-zl"}, "+", []string{"-zlz4"}, []string{"-zzstd"}},
		{[]string{"produce", "-qz", "z"}, "+", []string{"zstd"}, []string{"none"}},
		{[]string{"produce", "--compression=s"}, "+", []string{"--compression=snappy"}, nil},
		{[]string{"produce", "--config", ""}, "+files", nil, []string{"--topic"}},
		{[]string{"produce", "-t", "--"}, "+", nil, []string{"--topic"}}, // that is the topic
		{[]string{"produce", "-q", ""}, "+files", nil, nil},
		{[]string{"produce", "-X", ""}, "+nospace", []string{"acks=", "linger.ms=", "sasl.mechanism=", "max.batch.bytes="}, []string{"metric.reporters="}},
		{[]string{"produce", "-X", "acks="}, "+", []string{"acks=all", "acks=0"}, []string{"acks=..."}},
		{[]string{"produce", "-Xenable.idempotence="}, "+", []string{"-Xenable.idempotence=true"}, nil},
		{[]string{"produce", "-X", "linger.ms="}, "+", nil, nil},
		{[]string{"produce", "-X", "no.such="}, "+", nil, nil},
		{[]string{"perf", "--acks", ""}, "+", []string{"all", "1", "0"}, nil},
	} {
		also, texts := completed(t, test.words...)
		if also != test.also {
			t.Errorf("epistle %q: %q, want %q", test.words, also, test.also)
		}
		for _, want := range test.want {
			if !slices.Contains(texts, want) {
				t.Errorf("epistle %q: %q is not among %q", test.words, want, texts)
			}
		}
		for _, not := range test.not {
			if slices.Contains(texts, not) {
				t.Errorf("epistle %q: %q is among %q", test.words, not, texts)
			}
		}
		if test.want == nil && len(texts) > 0 {
			t.Errorf("epistle %q: %q, want nothing", test.words, texts)
		}
	}
}

// What is offered as the value of a setting is one that the producer takes.
func TestWhatIsOfferedIsTaken(t *testing.T) {
	_, keys := completed(t, "produce", "-X", "")
	for _, key := range keys {
		_, pairs := completed(t, "produce", "-X", key)
		for _, pair := range pairs {
			s := epistle(t, 2, "", "produce", "-b", "h:1", "-X", pair, "-t", strings.Repeat("x", 3), "-p", "-2")
			if got := s.stderr.String(); strings.Contains(got, "is wrong") || strings.Contains(got, "are wrong") || strings.Contains(got, strings.TrimSuffix(key, "=")+" =") {
				t.Errorf("-X %s is offered and refused: %s", pair, got)
			}
		}
	}
}

func TestWrongCompletion(t *testing.T) {
	epistle(t, 2, "", "completion").wantErr("which shell? epistle completion bash|zsh|fish|powershell", "epistle help completion")
	epistle(t, 2, "", "completion", "tcsh").wantErr(`no completion for "tcsh": epistle completion bash|zsh|fish|powershell`)
	epistle(t, 2, "", "completion", "bash", "zsh").wantErr("one shell")
	epistle(t, 2, "", "completoin").wantErr(`did you mean "completion"?`)
	epistle(t, 2, "", complete.Ask).wantErr("is for shells")
	if got := epistle(t, 0, "", "help", "completion").stdout.String(); !strings.Contains(got, "source <(epistle completion bash)") {
		t.Errorf("the help does not tell how to install it:\n%s", got)
	}
}

// installed puts an epistle, which is this test's binary, where a shell finds it, and returns the environment for that.
func installed(t *testing.T) []string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(program, filepath.Join(dir, "epistle")); err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), asEpistle+"=1", "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// Bash gives a completion its words broken at = and :, and takes back what follows the last of these.
func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		notrun.Skip(t, "there is no bash")
	}
	env := installed(t)
	for _, test := range []struct {
		line  string
		words []string // as bash breaks the line
		want  []string
	}{
		{"epistle pro", []string{"epistle", "pro"}, []string{"produce"}},
		{"epistle ", []string{"epistle", ""}, []string{"demo", "produce", "perf"}},
		{"epistle produce -z z", []string{"epistle", "produce", "-z", "z"}, []string{"zstd"}},
		{"epistle produce -X acks", []string{"epistle", "produce", "-X", "acks"}, []string{"acks="}},
		{"epistle produce -X acks=", []string{"epistle", "produce", "-X", "acks", "="}, []string{"all", "-1", "0", "1"}},
		{"epistle produce -X acks=a", []string{"epistle", "produce", "-X", "acks", "=", "a"}, []string{"all"}},
		{"epistle produce -K : -z z", []string{"epistle", "produce", "-K", ":", "-z", "z"}, []string{"zstd"}},
		{"epistle produce -b h:9092 --compression=g", []string{"epistle", "produce", "-b", "h", ":", "9092", "--compression", "=", "g"}, []string{"gzip"}},
	} {
		script := `source <(epistle completion bash); COMP_LINE=$1; COMP_POINT=${#COMP_LINE}; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _epistle; printf '%s\n' "${COMPREPLY[@]}"`
		cmd := exec.Command(bash, append([]string{"--norc", "-c", script, "bash", test.line}, test.words...)...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("bash: %v\n%s", err, out)
		}
		got := strings.Fields(string(out))
		for _, want := range test.want {
			if !slices.Contains(got, want) {
				t.Errorf("%q: %q is not among %q", test.line, want, got)
			}
		}
	}
}

// The scripts are read by the shells without a complaint. PowerShell is no package of Debian's, so it is asked only where it is;
// TestPowerShellAsksWithDots says what is known of its script elsewhere.
func TestShellsReadTheScripts(t *testing.T) {
	env := installed(t)
	scripts := map[string]string{
		"bash": `source <(epistle completion bash)`,
		"zsh":  `autoload -Uz compinit && compinit -u -D && source <(epistle completion zsh) && echo $_comps[epistle]`,
		"fish": `epistle completion fish | source; complete -C 'epistle produce -z z'`,
	}
	if _, err := exec.LookPath("pwsh"); err == nil {
		scripts["pwsh"] = `epistle completion powershell | Out-String | Invoke-Expression; (TabExpansion2 'epistle produce -z z' 20).CompletionMatches.CompletionText`
	}
	for shell, script := range scripts {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				notrun.Skip(t, "there is no "+shell)
			}
			cmd := exec.Command(path, "-c", script)
			cmd.Env = append(env, "HOME="+t.TempDir())
			out, err := cmd.CombinedOutput()
			want := map[string]string{"bash": "", "zsh": "_epistle\n", "fish": "zstd\n", "pwsh": "zstd\n"}[shell]
			if err != nil || string(out) != want {
				t.Errorf("%s says %q, %v, want %q", shell, out, err, want)
			}
		})
	}
}

// PowerShell's script asks with a dot before each word, so that none is empty. It is run where PowerShell is, and everywhere
// its brackets are in pairs.
func TestPowerShellAsksWithDots(t *testing.T) {
	plain := epistle(t, 0, "", complete.Ask, "--", "produce", "-z", "").stdout.String()
	if dotted := epistle(t, 0, "", complete.Ask, complete.Dotted, ".produce", ".-z", ".").stdout.String(); dotted != plain || !strings.Contains(plain, "zstd\t") {
		t.Errorf("with dots the answer is %q, want %q", dotted, plain)
	}
	epistle(t, 2, "", complete.Ask, complete.Dotted).wantErr("is for shells")
	script := epistle(t, 0, "", "completion", "powershell").stdout.String()
	for _, want := range []string{"Register-ArgumentCompleter -Native -CommandName @('epistle', 'epistle.exe') -ScriptBlock {",
		"'" + complete.Ask + "' '" + complete.Dotted + "' $words", "$words += '.' + $text", "CompletionResult]::new("} {
		if !strings.Contains(script, want) {
			t.Errorf("the script lacks %q", want)
		}
	}
	var open []rune
	for _, r := range script {
		switch r {
		case '{', '(', '[':
			open = append(open, r)
		case '}', ')', ']':
			if n := len(open); n == 0 || map[rune]rune{'}': '{', ')': '(', ']': '['}[r] != open[n-1] {
				t.Fatalf("the script has %q too many:\n%s", r, script)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 || strings.Contains(script, "`") || strings.ContainsAny(script, "\t\r") {
		t.Errorf("the script has open %q, or letters that it should not have:\n%s", open, script)
	}
}

// Every flag has one line of help that a shell can show.
func TestEveryCandidateHasOneLine(t *testing.T) {
	for _, c := range commands {
		out := epistle(t, 0, "", complete.Ask, "--", c.Name, "-").stdout.String()
		for i, line := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
			if text, help, _ := strings.Cut(line, "\t"); i > 0 && (help == "" || strings.ContainsAny(help, "`\t")) {
				t.Errorf("epistle %s: %q has the help %q", c.Name, text, help)
			}
		}
	}
}
