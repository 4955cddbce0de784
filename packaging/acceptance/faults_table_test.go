//go:build acceptance

package acceptance

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"wsprovision/packaging/acceptance/vm"
)

const faultsFile = "FAULTS.md"

// judgeFaultsTable compares the table with the file, or writes it. A row that was not run is as the file has it.
func judgeFaultsTable(t *testing.T, happened map[string]string) {
	t.Helper()
	have, _ := os.ReadFile(faultsFile) // the first time there is none
	for _, line := range strings.Split(string(have), "\n") {
		if cells := strings.Split(line, " | "); len(cells) == 3 {
			name := strings.TrimPrefix(cells[0], "| ")
			if _, ran := happened[name]; !ran {
				happened[name] = strings.TrimSuffix(cells[2], " |")
			}
		}
	}
	table := faultsTable(happened)
	if *updateTable {
		if err := os.WriteFile(faultsFile, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if string(have) != table && !*updateTable {
		t.Errorf("%s is out of date (go test -tags acceptance -run TestFaults ./packaging/acceptance -args "+
			"-update-table):\n%s", faultsFile, table)
	}
}

const faultsHead = `# Faults

` + vm.NotRHEL + `
Made by ` + "`TestFaults`" + ` on the acceptance machine; not to be edited by hand. Each row is a fault that was ` +
	`brought about there, with a run of
` + "`wsprovision apply`" + ` under it. Where nothing else is said, nginx served a WebSocket before, and the run ` +
	`is to move it to another path.

After every run, with the fault still there and again when it was taken away: SELinux is enforcing; ` +
	`` + "`nginx -t`" + ` passes if it did before; nginx has
the same master if it ran; the path that the file on the disk has answers 101 if it did before; no staged file is ` +
	`left. Then ` + "`apply`" + ` succeeds,
once more changes nothing (exit status 0 with ` + "`--detailed-exitcode`" + `), and curl's handshake gets 101. A ` +
	`row where any of this fails says so.

` + "`make test`" + ` runs one row of each kind, ` + "`make test-all`" + ` every one.
Those of which it says so have not been brought about yet.

`

// sections are the parts of the table.
var sections = []struct {
	title string
	rows  []fault
}{
	{"Disks", diskFaults},
	{"systemd and D-Bus", systemdFaults},
	{"Programs that the agent runs", programFaults},
	{"Signals, sessions and the clock", signalFaults},
	{"In our place", placeFaults},
	{"Neighbours", neighbourFaults},
}

func faultsTable(happened map[string]string) string {
	var s strings.Builder
	s.WriteString(faultsHead)
	for _, section := range sections {
		s.WriteString("## " + section.title + "\n\n| Fault | Expected | Happened |\n| --- | --- | --- |\n")
		for _, f := range section.rows {
			if happened[f.name] == "" {
				happened[f.name] = "not brought about yet"
			}
			s.WriteString("| " + cell(f.name) + " | " + cell(f.expected()) + " | " + cell(happened[f.name]) + " |\n")
		}
		s.WriteString("\n")
	}
	return s.String() + faultsElsewhere
}

func (f fault) expected() string {
	var parts []string
	if f.status == 0 {
		parts = append(parts, "the run succeeds"+saying(f.says))
	} else if f.step == "" {
		parts = append(parts, "the run fails"+saying(f.says))
	} else {
		parts = append(parts, f.step+" fails"+saying(f.says))
	}
	if f.untouched {
		parts = append(parts, "the host is untouched")
	}
	return strings.Join(parts, "; ")
}

func saying(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return ", saying “" + strings.Join(words, "”, “") + "”"
}

var (
	numbers = regexp.MustCompile(`\b(pid |process |master )\d+|\b\d+(\.\d+)?(ms|s|MB|KB)\b|\d{4}/\d\d/\d\d ` +
		`\d\d:\d\d:\d\d|\d+#\d+`)
	blanks = regexp.MustCompile(`\s+`)
)

// steady takes from a message what differs from run to run, and its length.
func steady(text string) string {
	text = blanks.ReplaceAllString(numbers.ReplaceAllString(text, "${1}N"), " ")
	if r := []rune(text); len(r) > 400 {
		text = string(r[:400]) + "…"
	}
	return text
}

func cell(text string) string {
	return strings.ReplaceAll(blanks.ReplaceAllString(text, " "), "|", "¦")
}

// faultsElsewhere ends the table with what it cannot hold.
const faultsElsewhere = `## Not in this table

- A lock in rpm's database left by a killed yum: rpm 4.11's Berkeley DB leaves __db files behind, the machine's ` +
	`rpm 4.18 keeps SQLite, whose locks
  end with their process. The killed transaction is above; the message for the database's errors is shown by ` +
	`recorded output in unit tests.
- A PID 1 that does not answer at all: the kernel delivers no SIGSTOP to it. A bus and a job that come late are above.
- A killed agent, and a power cut at each of its points: ` + "`make crash`" + `.
- Other neighbours (a brace that is not closed, the same server_name or upstream), a link and a directory on a ` +
	`host without our file: TestNeighbours and TestLink.
- Another's lock on yum and on semanage, and a second agent: TestLocks and TestTwoAgents. A listen port that is ` +
	`taken or that SELinux denies:
  TestFailedReload and TestListenPort.
`
