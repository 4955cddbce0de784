//go:build diagnosis

package diagnosis

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const tableHead = `# What verify says, situation by situation

Written by ` + "`make diagnoses UPDATE=-update-table`" + `, which brings each situation about with a real nginx, in namespaces
on Debian 12 (nginx 1.22) and **not on RHEL 7**; what needs SELinux or systemd is in TestDiagnosis. Each was looked at three
times, with the same answer. The mend was carried out as it is written; where it is words, by the edit that a reader makes of
them. "–" in the last column: it lies with the backend or the client.
`

func writeTable(t *testing.T, all []row, found []finding) {
	t.Helper()
	var b strings.Builder
	b.WriteString(tableHead)
	kind := ""
	for i, r := range all {
		if r.kind != kind {
			kind = r.kind
			fmt.Fprintf(&b, "\n## %s\n\n| situation | cause named | mend | verify after it |\n|---|---|---|---|\n", kind)
		}
		f := found[i]
		cause, after := "it goes through", "ok"
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
	if err := os.WriteFile("../acceptance/DIAGNOSES.md", []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func cell(text string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text) }
