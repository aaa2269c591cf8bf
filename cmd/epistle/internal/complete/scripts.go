package complete

import (
	"fmt"
	"io"
	"strings"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
)

// Ask is the command that the scripts ask with. The words follow it after "--", or after Dotted.
const Ask = "__complete"

// Dotted stands in front of words that have a dot more at their beginning: some versions of PowerShell drop a word that is
// empty.
const Dotted = "--dotted"

// A shell is one that there is a script for.
type shell struct {
	name    string
	install string // how to have it read in every session
	script  string
}

var shells = []shell{
	{"bash", `source <(epistle completion bash)      # in ~/.bashrc`, bash},
	{"zsh", `source <(epistle completion zsh)       # in ~/.zshrc, after compinit`, zsh},
	{"fish", `epistle completion fish > ~/.config/fish/completions/epistle.fish`, fish},
	{"powershell", `epistle completion powershell | Out-String | Invoke-Expression      # in $PROFILE`, powerShell},
}

// Shells are the shells that there are scripts for.
func Shells() []Candidate {
	var all []Candidate
	for _, s := range shells {
		all = append(all, Candidate{Text: s.name})
	}
	return all
}

// Script writes the script of the shell that the arguments name.
func Script(w io.Writer, args []string) error {
	if len(args) == 0 {
		return cli.Usagef("which shell? %s", choice())
	}
	if len(args) > 1 {
		return cli.Usagef("completion takes one shell, and then nothing: %q", args[1])
	}
	for _, s := range shells {
		if s.name == args[0] {
			_, err := io.WriteString(w, s.script)
			return err
		}
	}
	return cli.Usagef("there is no completion for %q: %s", args[0], choice())
}

func choice() string {
	names := make([]string, len(shells))
	for i, s := range shells {
		names[i] = s.name
	}
	return "epistle completion " + strings.Join(names, "|")
}

// Help tells how to install the scripts.
func Help(w io.Writer) {
	fmt.Fprintf(w, `epistle completion: print a script with which a shell completes command lines of epistle

Usage:
  %s

It completes commands, flags, the keys of settings after -X, values where there is a choice, and
names of files. The script asks the program itself, so it need not be made again for a new version.

To have it in every session:
`, choice())
	for _, s := range shells {
		fmt.Fprintf(w, "  %s\n", s.install)
	}
}

// Bash breaks words at = and :, which the words of COMP_LINE do not. What it replaces is what follows the last of these.
const bash = `# Completion of epistle's command lines in bash, 3.2 and later.
_epistle() {
  local rest=${COMP_LINE:0:COMP_POINT} words=() n=0 i word before
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ -z $word ]]; then
      before=$rest rest=
    else
      before=${rest%%"$word"*}
      rest=${rest#"$before$word"}
    fi
    if [[ i -eq 0 || -n $before ]]; then
      words[n++]=$word
    else
      words[n-1]+=$word
    fi
  done
  local current=${words[n-1]} kept= text help also=
  if [[ $COMP_WORDBREAKS == *=* ]]; then
    kept=${current%"${current##*[=:]}"}
  fi
  COMPREPLY=()
  while IFS=$'\t' read -r text help; do
    if [[ $text == +* && -z $also ]]; then
      also=$text
    else
      COMPREPLY+=("${text#"$kept"}")
    fi
  done < <("${words[0]/#\~/$HOME}" __complete -- "${words[@]:1}" 2>/dev/null)
  if [[ $also == *files* ]]; then
    compopt -o default -o filenames 2>/dev/null
  else
    compopt +o default 2>/dev/null
  fi
  if [[ $also == *nospace* ]]; then
    compopt -o nospace 2>/dev/null
  fi
  return 0
}
complete -o default -F _epistle epistle
`

const zsh = `#compdef epistle
# Completion of epistle's command lines in zsh.
_epistle() {
  local line also text
  local -a texts shown
  while IFS= read -r line; do
    if [[ -z $also ]]; then
      also=$line
      continue
    fi
    text=${line%%$'\t'*}
    texts+=("$text")
    shown+=("${text}  ${line#*$'\t'}")
  done < <("${(Q)words[1]/#\~/$HOME}" __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
  local -a how
  [[ $also == *nospace* ]] && how=(-S '')
  (( $#texts )) && compadd -l -d shown $how -a texts
  [[ $also == *files* ]] && _files
}
compdef _epistle epistle
`

const fish = `# Completion of epistle's command lines in fish.
function __epistle_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    for line in $lines[2..-1]
        echo $line
    end
    if string match -q '*files*' -- $lines[1]
        __fish_complete_path (commandline -ct)
    end
end
complete -c epistle -f -a '(__epistle_complete)'
`

// PowerShell offers names of files by itself where there is no candidate. An empty one keeps it from that.
const powerShell = `# Completion of epistle's command lines in PowerShell, 5.1 and later.
Register-ArgumentCompleter -Native -CommandName @('epistle', 'epistle.exe') -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @()
    $open = $false
    foreach ($element in @($commandAst.CommandElements | Select-Object -Skip 1)) {
        $extent = $element.Extent
        if ($extent.StartOffset -ge $cursorPosition) { break }
        $open = $extent.EndOffset -ge $cursorPosition
        if ($extent.EndOffset -gt $cursorPosition) {
            $text = $extent.Text.Substring(0, $cursorPosition - $extent.StartOffset)
        } elseif ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) {
            $text = $element.Value
        } else {
            $text = $extent.Text
        }
        $words += '.' + $text
    }
    if (-not $open) { $words += '.' }
    $lines = @(& $commandAst.GetCommandName() '__complete' '--dotted' $words 2>$null)
    $candidates = @($lines | Select-Object -Skip 1)
    foreach ($line in $candidates) {
        $text, $help = $line -split [char]9, 2
        if (-not $help) { $help = $text }
        [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $help)
    }
    if ($candidates.Count -eq 0 -and $lines[0] -notlike '*files*') { '' }
}
`
