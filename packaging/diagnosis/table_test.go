//go:build diagnosis

package diagnosis

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

const tableHead = `# What verify says, situation by situation

Written by ` + "`make diagnoses UPDATE=yes`" + `, which brings each situation about with a real nginx, in namespaces
on Debian 12 (nginx 1.22) and **not on RHEL 7**; what needs SELinux or systemd is in TestDiagnosis. Each was looked at
three times, with the same answer. The mend was carried out as it is written; where it is words, by the edit that a
reader makes of them. "–" in the last column: it lies with the backend or the client.
`

func writeTable(t *testing.T, all []row, found []finding) {
	t.Helper()
	if err := os.WriteFile(tableFile, []byte(table(all, found)), 0o644); err != nil {
		t.Fatal(err)
	}
}

const tableFile = "../acceptance/DIAGNOSES.md"

// isCurrent requires that the table has every situation with its code.
func isCurrent(t *testing.T, all []row) {
	t.Helper()
	text, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		want := "\n| " + cell(r.situation) + " | "
		switch r.want {
		case "":
			want += "it goes through"
		case none:
			want += "none is named"
		default:
			want += r.want + ": "
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q: make diagnoses UPDATE=yes", tableFile, want)
		}
	}
}

func table(all []row, found []finding) string {
	var b strings.Builder
	b.WriteString(tableHead)
	kind := ""
	for i, r := range all {
		if r.kind != kind {
			kind = r.kind
			fmt.Fprintf(&b, "\n## %s\n\n| situation | cause named | mend | verify after it |\n|---|---|---|---|\n",
				kind)
		}
		f := found[i]
		cause, after := "it goes through", "ok"
		if f.Warning != "" {
			cause += ", with the warning " + f.Warning
		}
		if f.Code == none {
			cause = "none is named"
		} else if f.Code != "" {
			cause = f.Code + ": " + f.Cause
		}
		if f.Code != "" {
			after = f.After
		}
		if after == "" {
			after = "–"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(r.situation), cell(cause), cell(f.Mend), after)
	}
	return b.String()
}

// passing is what another run would say otherwise.
var passing = regexp.MustCompile(`process \d+|systemctl status \d+|\d{4}-\d\d-\d\d`)

func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(passing.ReplaceAllString(text, "…"))
}
