package yumerr

import (
	"regexp"
	"slices"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/provision/secret"
	"wsprovision/rpm/said"
)

// Output is one run of yum: what it said and how it ended.
type Output struct {
	Status         int
	Stdout, Stderr string
}

// complaint is yum's word on one mirror, of which it goes on to the next: `URL: [Errno 14] HTTP Error 404 - Not
// Found`. What stands after the number is the server's own text.
var complaint = lazy.Regexp(`^(\w+://\S+): (\[Errno -?\d+\] (?:curl#\d+|HTTP Error \d+|\[Errno \d+\]|\w+).*)$`)

// behind are complaints of a mirror that are no fault of any mirror.
var behind = []Row{
	{Kind: Unwritable, Stderr: Marks(`^\[Errno 14\] curl#23 `)},
	{Kind: NoSpace, Stderr: Marks(`^\[Errno -?\d+\] \[Errno 28\]`)},
	{Kind: Unwritable, Stderr: Marks(`^\[Errno -?\d+\] \[Errno 30\]`)},
	{Kind: BadKey, Stderr: Marks(`^\[Errno -1\] repomd\.xml signature could not be verified`)},
}

// Classify reads what yum printed. It never fails: what it does not know is Unknown with yum's last lines. The kind
// whose evidence comes last decides, because yum goes on after what it can do without: a key that it is about to
// import is "not installed" too.
func Classify(r Output) *Error {
	e := &Error{Status: r.Status, Kind: Unknown}
	kind, evidence := r.decisive()
	if kind == Unreachable {
		kind, evidence = r.behindMirrors(kind, evidence)
	}
	if kind == "" {
		e.Text = r.LastWords()
		return e
	}
	e.Kind, e.Next, e.Text = kind, RowOf(kind).Next, secret.Hide(r.words(kind, evidence))
	return e
}

// decisive finds the kind and its first lines: on stderr, else on stdout, else what is vague.
func (r Output) decisive() (Kind, []string) {
	for _, try := range []struct {
		text string
		mark func(Row) func() *regexp.Regexp
	}{
		{r.Stderr, func(f Row) func() *regexp.Regexp { return f.Stderr }},
		{r.Stdout, func(f Row) func() *regexp.Regexp { return f.stdout }},
		{r.Stderr, func(f Row) func() *regexp.Regexp { return f.vague }},
	} {
		if kind, lines := lastEvidence(try.text, try.mark); kind != "" {
			return kind, lines
		}
	}
	return "", nil
}

// lastEvidence is the last kind that a line tells of, and all lines that tell of it since one told of another.
func lastEvidence(text string, mark func(Row) func() *regexp.Regexp) (kind Kind, evidence []string) {
	for _, line := range said.Lines(text) {
		if complaint().MatchString(line) {
			continue
		}
		i := slices.IndexFunc(Failures, func(f Row) bool { return mark(f) != nil && mark(f)().MatchString(line) })
		if i < 0 {
			continue
		}
		if Failures[i].Kind != kind {
			kind, evidence = Failures[i].Kind, nil
		}
		evidence = append(evidence, said.Clip(strings.TrimSpace(line)))
	}
	return kind, evidence
}

// complaints are what yum said of mirrors, without repetition.
func (r Output) complaints() (all []string) {
	for _, line := range said.Lines(r.Stderr) {
		if line = said.Clip(line); complaint().MatchString(line) && !slices.Contains(all, line) {
			all = append(all, line)
		}
	}
	return all
}

// behindMirrors looks at what the last mirror was found to lack: where it is our own disk, or the key, that is the
// reason.
func (r Output) behindMirrors(kind Kind, evidence []string) (Kind, []string) {
	all := r.complaints()
	if len(all) == 0 {
		return kind, evidence
	}
	last := all[len(all)-1]
	for _, b := range behind {
		if b.Stderr().MatchString(complaint().FindStringSubmatch(last)[2]) {
			return b.Kind, []string{last}
		}
	}
	return kind, evidence
}

// noise are lines of stderr that yum prints whether it succeeds or not, and the rest of what they begin.
var noise = lazy.Regexp(`^(warning|Warning): |^Importing GPG key |^ (Userid|Fingerprint|Package|From)\s*: |` +
	`^Trying other mirror\.|^Error Summary$|^-+$|` +
	`^There are unfinished transactions|^The program yum-complete-transaction|^\*\* Found \d+ pre-existing rpmdb ` +
	`problem|` +
	` has missing requires of | is a duplicate with |^To address this issue please refer|` +
	`^https://access\.redhat\.com/|` +
	`^If above article doesn't help|^Main config did not have a \S+ attr`)

// LastWords are what yum said last, on stderr if it said anything there that it does not say of every run.
func (r Output) LastWords() string {
	var told []string
	for _, line := range said.Lines(r.Stderr) {
		if !noise().MatchString(line) {
			told = append(told, line)
		}
	}
	if text := said.LastLines(strings.Join(told, "\n"), 3); text != "" {
		return secret.Hide(text)
	}
	return secret.Hide(said.LastLines(r.Stdout, 3))
}

// missing are yum's words on all names that it does not have.
func (r Output) missing() (all []string) {
	mark := RowOf(NoPackage).stdout
	for _, line := range said.Lines(r.Stdout + "\n" + r.Stderr) {
		if line = strings.TrimSpace(line); mark().MatchString(line) {
			all = append(all, said.Clip(line))
		}
	}
	return all
}

// MissingNames are those of the names that yum says it does not have, or all where it names none of them.
func (r Output) MissingNames(names []string) []string {
	var all []string
	for _, line := range r.missing() {
		for _, word := range strings.Fields(line) {
			if slices.Contains(names, word) {
				all = append(all, word)
			}
		}
	}
	if len(all) == 0 {
		return names
	}
	return all
}

var runningAs = lazy.Regexp(`another copy is running as pid (\d+)|already locked by (\d+)`)

// LockedBy names the holder from yum's (`Existing lock …: another copy is running as pid 4711.`) or dnf's words.
func (r Output) LockedBy() string {
	m := runningAs().FindStringSubmatch(r.Stderr + "\n" + r.Stdout)
	if m == nil {
		return "yum lock held"
	}
	return "yum lock held by pid " + m[1] + m[2]
}
