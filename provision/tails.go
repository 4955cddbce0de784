package provision

import (
	"io"
	"os"
	"strings"
	"syscall"

	"wsprovision/provision/hostfile"
)

// mostTail bounds what is read of a log, in bytes: a diagnosis must not take
// longer because a log is long.
const mostTail = 256 << 10

// tails is where some logs stood at one moment.
type tails []tail

type tail struct {
	path   string
	inode  uint64
	offset int64
}

// markTails notes the ends of logs; one that is not there yet counts from its
// beginning.
func (h *Host) markTails(paths ...string) tails {
	var all tails
	for _, path := range paths {
		t := tail{path: path}
		if fi, err := os.Stat(h.Root + path); err == nil {
			t.offset = fi.Size()
			if st, ok := fi.Sys().(*syscall.Stat_t); ok {
				t.inode = st.Ino
			}
		}
		all = append(all, t)
	}
	return all
}

// since gives the lines that came after the mark; what cannot be read has none.
func (h *Host) since(marks tails) []string {
	var lines []string
	for _, t := range marks {
		from := t.offset
		if fi, err := os.Stat(h.Root + t.path); err == nil {
			st, ok := fi.Sys().(*syscall.Stat_t)
			if fi.Size() < from || ok && st.Ino != t.inode {
				from = 0
			}
		}
		lines = append(lines, h.readTail(t.path, from)...)
	}
	return lines
}

// readTail gives the whole lines of the end of a file, not before from.
func (h *Host) readTail(path string, from int64) []string {
	file, err := hostfile.Open(h.Root + path)
	if err != nil {
		return nil
	}
	defer file.Close()
	fi, err := file.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		return nil
	}
	cut := false
	if start := fi.Size() - mostTail; start > from {
		from, cut = start, true
	}
	b, err := io.ReadAll(io.LimitReader(io.NewSectionReader(file, from, mostTail), mostTail))
	if err != nil {
		return nil
	}
	lines := strings.Split(strings.ToValidUTF8(string(b), "?"), "\n")
	if cut && len(lines) > 0 {
		lines = lines[1:] // begins in the middle of a line
	}
	if n := len(lines); n > 0 && lines[n-1] == "" {
		lines = lines[:n-1]
	}
	return lines
}
