package nginx

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// LogMark is where some error logs stood at one moment, by inode and size.
type LogMark struct{ logs []logPosition }

type logPosition struct {
	path   string // with the root
	shown  string // without
	inode  uint64 // 0: there was no such file
	offset int64
}

// LogLine is a line of an error log.
type LogLine struct{ File, Text string }

func (l LogLine) String() string { return l.File + ": " + l.Text }

// MarkLogs notes where each error log stands now. A log that is not there or cannot be looked at counts from its
// beginning; ProveReload says if it cannot be read.
func (n Nginx) MarkLogs(paths []string) LogMark {
	var m LogMark
	for _, name := range paths {
		p := logPosition{path: n.Root + name, shown: name}
		if info, err := os.Stat(p.path); err == nil {
			p.inode, p.offset = inode(info), info.Size()
		}
		m.logs = append(m.logs, p)
	}
	return m
}

// Complaints are the emerg, alert and crit lines that came since the mark and that speak of nginx itself, not of a
// client or a backend.
func (m LogMark) Complaints() ([]LogLine, error) { return m.follow().read() }

func inode(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

// follower reads what comes after a mark, through rotation and truncation.
type follower struct {
	logs []logPosition
	rest map[string]string // the beginning of a line whose end is not written yet
	seen []LogLine
	said map[int]int // lines seen of each process
}

func (m LogMark) follow() *follower {
	return &follower{logs: slices.Clone(m.logs), rest: map[string]string{}, said: map[int]int{}}
}

// read gives all complaints since the mark.
func (f *follower) read() ([]LogLine, error) {
	for i := range f.logs {
		if err := f.advance(&f.logs[i]); err != nil {
			return f.seen, fmt.Errorf("read %s: %w", f.logs[i].shown, err)
		}
	}
	return f.seen, nil
}

func (f *follower) advance(p *logPosition) error {
	info, err := os.Stat(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return f.rotated(p)
	}
	if err != nil {
		return err
	}
	if inode(info) != p.inode {
		if err := f.rotated(p); err != nil {
			return err
		}
		p.inode, p.offset = inode(info), 0
	}
	if !info.Mode().IsRegular() {
		return nil // a pipe or a device does not keep what was written to it
	}
	if info.Size() < p.offset { // copytruncate
		p.offset = 0
	}
	return f.readFile(p.path, p)
}

// rotated reads the rest of a log that logrotate has given another name in the same directory.
func (f *follower) rotated(p *logPosition) error {
	if p.inode == 0 {
		return nil
	}
	entries, err := os.ReadDir(filepath.Dir(p.path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && inode(info) == p.inode && info.Size() > p.offset {
			return f.readFile(filepath.Join(filepath.Dir(p.path), e.Name()), p)
		}
	}
	return nil
}

func (f *follower) readFile(name string, p *logPosition) error {
	// Not to wait for a writer, should a pipe have taken the log's place since it was looked at.
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	if _, err := file.Seek(p.offset, io.SeekStart); err != nil {
		return err
	}
	buffer := make([]byte, 64<<10)
	for {
		n, err := file.Read(buffer)
		p.offset += int64(n)
		f.lines(p.shown, buffer[:n])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// longestLine is more than nginx writes in one (NGX_MAX_ERROR_STR, 2048).
const longestLine = 8 << 10

// mostLines are kept of each process: one that floods the log does not hide another.
const mostLines = 20

func (f *follower) lines(shown string, chunk []byte) {
	text := f.rest[shown] + string(chunk)
	for {
		line, after, complete := strings.Cut(text, "\n")
		if !complete {
			break
		}
		if isComplaint(line) {
			f.keep(shown, line)
		}
		text = after
	}
	f.rest[shown] = text[max(0, len(text)-longestLine):]
}

func (f *follower) keep(shown, line string) {
	pid := worker(line)
	if f.said[pid]++; f.said[pid] <= mostLines {
		f.seen = append(f.seen, LogLine{shown, strings.ToValidUTF8(line, "?")})
	}
}

// isComplaint keeps what speaks of nginx itself. A number after a star is a connection's: such a line is about a client
// or a backend, also at [crit] and [alert], and says nothing of a reload.
func isComplaint(line string) bool {
	l, ok := ParseErrorLine(line)
	return ok && l.OfItself() && slices.Contains([]string{"emerg", "alert", "crit"}, l.Level)
}

var workerDied = regexp.MustCompile(`^worker process (\d+) exited on signal `)

// worker is the process that a line of an error log speaks of: the one that wrote it or, in the master's words of one that
// died, that one. It is 0 where nobody can be told.
func worker(line string) int {
	l, _ := ParseErrorLine(line)
	if died := workerDied.FindStringSubmatch(l.Message); died != nil {
		l.PID, _ = strconv.Atoi(died[1])
	}
	return l.PID
}
