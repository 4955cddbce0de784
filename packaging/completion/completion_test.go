// Package completion drives the completions that the package ships in the shells that they are for.
package completion

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// shells are what they offer for a line, by programs that read it from the environment. Bash asks for words alone; zsh
// and fish show what they mean, too.
var shells = map[string]string{
	"bash": `. /usr/share/bash-completion/bash_completion
. "$SCRIPT"
type() { echo builtin; } # compopt, outside of a terminal's completion, is a function of ours
compopt() { [[ $* != *'+o default'* ]] || files=; }
files=$(complete -p wsprovision | grep -e '-o default' || :)
eval "COMP_WORDS=($LINE)"
[[ $LINE == *' ' ]] && COMP_WORDS+=('')
COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9 COMP_KEY=9
__start_wsprovision
[ -z "$files" ] || [ "${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "${COMP_WORDS[-1]}"))
printf '%s\n' "${COMPREPLY[@]}"`,
	"fish": `source $SCRIPT; complete -C $LINE`,
	// A terminal of its own, as zsh completes nowhere else. compadd is what the completion gives its words to.
	"zsh": `zmodload zsh/zpty
zpty run zsh -f -i
zpty -w run "autoload -Uz compinit; compinit -D -d $HOME/dump; source $SCRIPT; compdef _wsprovision wsprovision"
zpty -w run 'zstyle ":completion:*" list-separator "--"; LISTMAX=1000; COLUMNS=200; bindkey "^D" list-choices'
zpty -w run "PS1=rea''dy"
zpty -r -m run line '*ready*' # the line editor is at work only with its prompt
zpty -n -w run "$LINE"$'\x04\x15'"print do''ne"$'\n' # keys are taken one after the other
zpty -r -m run shown '*done*'
print -r -- "$shown"`,
}

// lines are what is typed, and what has to be offered for it and what must not be.
var lines = []struct{ typed, offers, means, not string }{
	{"wsprovision pl", "plan", "Show what apply would do", "verify"},
	{"wsprovision apply --on-drift ", "replace", "", "a-file"},
	{"wsprovision apply --epel-source ", "mirror", "", "a-file"},
	{"wsprovision apply --output ", "json", "", "a-file"},
	{"wsprovision apply --config ", "a-file", "", "json"},
	{"wsprovision apply --server-na", "--server-name", "", "--backend"},
	{"wsprovision apply ", "", "", "a-file"},
	{"wsprovision ren", "renew-hook", "Have nginx serve the certificates", "report"},
	{"wsprovision sup", "support", "Gather in one archive", "status"},
	{"wsprovision repo", "report", "Show what an earlier run did", "renew-hook"},
	{"wsprovision completion ", "fish", "Print the completion script", "powershell"},
	{"wsprovision completion bash --no-d", "--no-descriptions", "", "a-file"},
	{"wsprovision report --l", "--list", "", "--live"},
	{"wsprovision report ", "", "", "a-file"},
	{"wsprovision renew-hook --det", "--detailed-exitcode", "", "--adopt"},
	{"wsprovision support --out ", "a-file", "", "json"},
	{"wsprovision plan --out ", "a-file", "", "json"},
	{"wsprovision plan --ou", "--out", "", "--adopt"},
	{"wsprovision apply --from-plan ", "a-file", "", "json"},
	{"wsprovision apply --from", "--from-plan", "", "--adopt"},
	{"wsprovision verify --color ", "never", "", "a-file"},
	{"wsprovision config check ", "a-file", "", "json"},
	{"wsprovision connect --ca ", "a-file", "", "json"},
	{"wsprovision help con", "connect", "", "verify"},
}

func TestCompletions(t *testing.T) {
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir, "wsprovision/cmd/wsprovision")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	home := filepath.Join(dir, "home")
	if err := os.MkdirAll(filepath.Join(home, "a-file"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, program := range shells {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shell, err := exec.LookPath(name)
			if err != nil {
				t.Skipf("%s is not here", name)
			}
			script, err := exec.Command(dir+"/wsprovision", "completion", name).Output()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "_wsprovision."+name)
			if err := os.WriteFile(path, script, 0o644); err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				complete := exec.CommandContext(t.Context(), shell, "-c", program)
				complete.Dir, complete.WaitDelay = home, 10*time.Second
				complete.Env = []string{"PATH=" + dir + ":/usr/bin:/bin", "HOME=" + home, "TERM=dumb", "LC_ALL=C.UTF-8",
					"SCRIPT=" + path, "LINE=" + l.typed}
				out, err := complete.CombinedOutput()
				if err != nil {
					t.Errorf("%q: %v\n%s", l.typed, err, out)
				}
				judge(t, name, l.typed, string(out), l.offers, l.means, l.not)
			}
		})
	}
}

func judge(t *testing.T, shell, typed, out, offers, means, not string) {
	t.Helper()
	offered := strings.FieldsFunc(out, func(r rune) bool { return r <= ' ' || r == '/' })
	if offers != "" && !slices.Contains(offered, offers) {
		t.Errorf("%q: %q is not offered:\n%s", typed, offers, out)
	}
	if shell != "bash" && !strings.Contains(out, means) {
		t.Errorf("%q: it is not said that it means %q:\n%s", typed, means, out)
	}
	if slices.Contains(offered, not) {
		t.Errorf("%q: %q is offered:\n%s", typed, not, out)
	}
}
