package nginx

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"wsprovision/provision/hostfile"
)

// LogMark is where some error logs stood at one moment. Whoever may write them decides on what is in them: the nginx
// user, and clients too (see ErrorLine). Lines explain what something else has shown, and decide nothing.
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

// MarkLogs notes where each error log stands now. One that is no plain file counts from its beginning.
func (n Nginx) MarkLogs(paths []string) LogMark {
	var m LogMark
	for _, name := range paths {
		p := logPosition{path: n.Root + name, shown: name}
		if info, err := os.Lstat(p.path); err == nil && info.Mode().IsRegular() {
			p.inode, p.offset = inode(info), info.Size()
		}
		m.logs = append(m.logs, p)
	}
	return m
}

func inode(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

const (
	mostOfLog     = 8 << 20         // bytes read of each log since its mark
	logPatience   = 3 * time.Second // for all of them
	mostLines     = 20              // kept of them all
	mostLogNames  = 10_000          // looked at for a log that was given another name
	longestLine   = 8 << 10         // nginx writes at most 2048 bytes in one (NGX_MAX_ERROR_STR)
	timestampSize = len("2026/11/22 18:00:00 ")
)

// Complaints are the emerg, alert and crit lines that a process (0: any) wrote since the mark and that speak of nginx
// itself, not of a client or a backend; each is told once. The error tells of logs that could not be read, beside the
// lines of those that could.
func (m LogMark) Complaints(ctx context.Context, pid int) ([]LogLine, error) {
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	c := complaints{pid: pid, said: map[string]bool{}}
	var all error
	for _, p := range m.logs {
		if err := c.since(ctx, p); err != nil {
			all = errors.Join(all, err)
		}
	}
	return c.lines, all
}

type complaints struct {
	pid   int
	lines []LogLine
	said  map[string]bool
}

// since reads what came after a mark, through rotation and truncation.
func (c *complaints) since(ctx context.Context, p logPosition) error {
	file, err := hostfile.Open(p.path)
	if err != nil {
		c.rotated(ctx, p)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	offset := p.offset
	if inode(info) != p.inode {
		c.rotated(ctx, p)
		offset = 0
	}
	if info.Size() < offset { // copytruncate
		offset = 0
	}
	return c.read(ctx, p.shown, file, offset)
}

// rotated reads the rest of a log that logrotate has given another name in the same directory.
func (c *complaints) rotated(ctx context.Context, p logPosition) {
	if p.inode == 0 {
		return
	}
	dir, err := os.OpenFile(filepath.Dir(p.path), os.O_RDONLY|syscall.O_DIRECTORY, 0) // a pipe would be waited for
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(mostLogNames)
	for _, name := range names {
		info, err := os.Lstat(filepath.Join(dir.Name(), name))
		if err != nil || inode(info) != p.inode || info.Size() <= p.offset || ctx.Err() != nil {
			continue
		}
		if file, err := hostfile.Open(filepath.Join(dir.Name(), name)); err == nil {
			defer file.Close()
			_ = c.read(ctx, p.shown, file, p.offset)
			return
		}
	}
}

func (c *complaints) read(ctx context.Context, shown string, file *os.File, offset int64) error {
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	if err := c.scan(shown, io.LimitReader(hostfile.Until(ctx, file), mostOfLog)); err != nil {
		return fmt.Errorf("read %s: %w", shown, err)
	}
	return nil
}

// scan leaves out lines that are longer than nginx writes them, and one whose end is not written yet.
func (c *complaints) scan(shown string, from io.Reader) error {
	r := bufio.NewReaderSize(from, longestLine)
	for whole := true; ; {
		line, err := r.ReadSlice('\n')
		if whole && err == nil {
			c.line(shown, strings.TrimSuffix(string(line), "\n"))
		}
		whole = err == nil // what follows a piece of a line is its rest
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

func (c *complaints) line(shown, line string) {
	if len(c.lines) >= mostLines || !c.isComplaint(line) {
		return
	}
	if what := shown + line[timestampSize:]; !c.said[what] {
		c.said[what] = true
		c.lines = append(c.lines, LogLine{shown, strings.ToValidUTF8(line, "?")})
	}
}

// isComplaint keeps what speaks of nginx itself. A number after a star is a connection's: such a line is about a client
// or a backend, also at [crit] and [alert], and says nothing of a reload.
func (c *complaints) isComplaint(line string) bool {
	l, ok := ParseErrorLine(line)
	return ok && l.OfItself() && slices.Contains([]string{"emerg", "alert", "crit"}, l.Level) &&
		(c.pid == 0 || l.PID == c.pid)
}
