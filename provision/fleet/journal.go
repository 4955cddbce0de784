package fleet

import (
	"errors"
	"fmt"
	"log/syslog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/journal"

	"wsprovision/provision/engine"
	"wsprovision/provision/secret"
)

// The message IDs of what the journal is told (systemd.journal-fields(7)); wsprovision.catalog explains each.
const (
	RunBegan   = "2be51a12587943c08b783817bcb8e369" // a run has begun
	StepEnded  = "f43111dfe7244392ba0defd92ef27337" // a step has ended, and has not failed
	StepFailed = "d1a66213d7d340c48e3a5922f2fafab6" // a step has failed
	RunEnded   = "b74b12774fb74fc2b78634cea0010720" // a run has ended, and has not failed
	RunFailed  = "f4efa2c83d2645a7a884b1d0fce0ffb1" // a run has failed, or was ended early
)

// Sender writes one entry with its fields.
type Sender func(message string, priority journal.Priority, fields map[string]string) error

// syslogSockets are where a host without a journal has its log: any of them is enough (log/syslog looks at the same).
var syslogSockets = []string{"/dev/log", "/var/run/syslog", "/var/run/log"}

// HostLog is the host's journal, syslog where there is none, or nil.
func HostLog() Sender {
	if journal.Enabled() {
		return journal.Send
	}
	if !slices.ContainsFunc(syslogSockets, func(path string) bool { _, err := os.Stat(path); return err == nil }) {
		return nil
	}
	return toSyslog
}

// toSyslog has the fields behind the message: syslog(3) has none.
func toSyslog(message string, priority journal.Priority, fields map[string]string) error {
	w, err := syslog.New(syslog.LOG_DAEMON|syslog.Priority(priority), identifier)
	if err != nil {
		return err
	}
	defer w.Close()
	_, err = w.Write([]byte(oneLine(message, fields)))
	return err
}

func oneLine(message string, fields map[string]string) string {
	text := strings.Join(strings.Fields(message), " ")
	for _, name := range fieldNames {
		if value := fields[name]; value != "" {
			text += " " + strings.ToLower(strings.TrimPrefix(name, fieldPrefix)) + "=" + value
		}
	}
	return text
}

const (
	identifier  = "wsprovision"
	fieldPrefix = "WSPROVISION_"
)

// fieldNames are the fields of ours, in the order that syslog has them in.
var fieldNames = []string{fieldPrefix + "RUN", fieldPrefix + "COMMAND", fieldPrefix + "STEP", fieldPrefix + "STATUS",
	fieldPrefix + "DURATION_MS", fieldPrefix + "CHANGES", fieldPrefix + "AGENT"}

const (
	// mostMessage bounds a message, in bytes: what is longer would go by way of a file.
	mostMessage = 16 << 10
	// sendTime is how long one entry may take: a journald that is stopped takes none, and nobody is told.
	sendTime = 2 * time.Second
)

// Journal tells the host's log of a run. A nil one tells nobody.
type Journal struct {
	mu         sync.Mutex
	send       Sender
	agent      string
	run        string
	command    string
	unanswered bool
}

// NewJournal is nil where the host has no log.
func NewJournal(to Sender, agent string) *Journal {
	if to == nil {
		return nil
	}
	return &Journal{send: to, agent: agent}
}

// Began is called before anything else. A first boot begins once for each of its attempts, which are one run.
func (j *Journal) Began(command, run string) {
	if j == nil || j.run == run {
		return
	}
	j.command, j.run = command, run
	j.tell(RunBegan, journal.PriInfo, fmt.Sprintf("%s began", command), nil)
}

// Step tells of a step, in the words that people are shown, and reports whether the log has taken it.
func (j *Journal) Step(s engine.StepReport, shown string) bool {
	if j == nil {
		return false
	}
	id, priority := StepEnded, journal.PriInfo
	switch {
	case s.Status == engine.Failed:
		id, priority, shown = StepFailed, journal.PriErr, strings.TrimSuffix(shown, "\n")+"\n      error: "+s.Error
	case len(s.Warnings) > 0:
		priority = journal.PriWarning
	case s.Status == engine.Skipped:
		shown = s.Name + " skipped: " + s.Why
	case s.Status == engine.Changed:
		priority = journal.PriNotice
	}
	return j.tell(id, priority, shown, map[string]string{"STEP": s.Name, "STATUS": string(s.Status),
		"DURATION_MS": strconv.FormatInt(s.Millis, 10), "CHANGES": strconv.Itoa(made(s))})
}

// Ended tells what the run came to.
func (j *Journal) Ended(r *engine.Report, shown string) bool {
	if j == nil {
		return false
	}
	id, priority, changes := RunEnded, journal.PriNotice, 0
	if r.Result == engine.Failed {
		id, priority = RunFailed, journal.PriErr
	}
	for _, s := range r.Steps {
		changes += made(s)
	}
	return j.tell(id, priority, shown, map[string]string{"STATUS": string(r.Result),
		"DURATION_MS": strconv.FormatInt(r.Millis, 10), "CHANGES": strconv.Itoa(changes)})
}

func (j *Journal) tell(id string, priority journal.Priority, message string, more map[string]string) bool {
	j.mu.Lock() // a second signal ends a run from another goroutine
	defer j.mu.Unlock()
	if j.unanswered {
		return false
	}
	fields := map[string]string{"MESSAGE_ID": id, "SYSLOG_IDENTIFIER": identifier, fieldPrefix + "RUN": j.run,
		fieldPrefix + "COMMAND": j.command, fieldPrefix + "AGENT": j.agent}
	for name, value := range more {
		fields[fieldPrefix+name] = value
	}
	err := within(sendTime, func() error { return j.send(cut(secret.Hide(message)), priority, fields) })
	j.unanswered = errors.Is(err, errNoAnswer)
	return err == nil
}

var errNoAnswer = errors.New("no answer")

// within leaves what does not come back behind.
func within(d time.Duration, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-time.After(d):
		return errNoAnswer
	}
}

// cut keeps the beginning and the end of what is too long.
func cut(text string) string {
	text = strings.ToValidUTF8(strings.TrimRight(text, "\n"), "\ufffd")
	if len(text) <= mostMessage {
		return text
	}
	head, tail := text[:mostMessage/2], text[len(text)-mostMessage/2:]
	return strings.ToValidUTF8(head, "") + "\n[…]\n" + strings.ToValidUTF8(tail, "")
}
