package facts

import (
	"context"
	"io"
	"os"
	"strings"
	"syscall"

	"wsprovision/provision/host"
	"wsprovision/provision/hostfile"
)

// MostTail bounds what is read of a log, in bytes: a diagnosis must not take
// longer because a log is long.
const MostTail = 256 << 10

// tails is where some logs stood at one moment.
type tails []tail

type tail struct {
	path   string
	inode  uint64
	offset int64
}

// MarkLogs notes the ends of logs; one that is not there yet counts from its
// beginning.
func MarkLogs(h *host.Host, paths ...string) tails {
	var all tails
	for _, path := range paths {
		t := tail{path: path}
		t.inode, t.offset = logPosition(h, path)
		all = append(all, t)
	}
	return all
}

// logPosition is a log's inode and size; 0 of each for what is no plain file. The nginx user may put anything there.
func logPosition(h *host.Host, path string) (inode uint64, size int64) {
	fi, err := os.Lstat(h.Root + path)
	if err != nil || !fi.Mode().IsRegular() {
		return 0, 0
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		inode = st.Ino
	}
	return inode, fi.Size()
}

// LogsSince gives the lines that came after the mark; what cannot be read has none.
func LogsSince(ctx context.Context, h *host.Host, marks tails) []string {
	var lines []string
	for _, t := range marks {
		from := t.offset
		if inode, size := logPosition(h, t.path); inode != t.inode || size < from {
			from = 0
		}
		lines = append(lines, readTail(ctx, h, t.path, from)...)
	}
	return lines
}

// readTail gives the whole lines of the end of a file, not before from.
func readTail(ctx context.Context, h *host.Host, path string, from int64) []string {
	file, err := hostfile.Open(h.Root + path)
	if err != nil {
		return nil
	}
	defer file.Close()
	fi, err := file.Stat()
	if err != nil {
		return nil
	}
	cut := false
	if start := fi.Size() - MostTail; start > from {
		from, cut = start, true
	}
	b, err := io.ReadAll(hostfile.Until(ctx, io.NewSectionReader(file, from, MostTail)))
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
