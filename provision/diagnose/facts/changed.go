package facts

import (
	"os"
	"time"
)

// Newest is the file of the configuration that was changed last, where that
// was after nginx read it.
func Newest(e *Evidence) (file string, changed, read time.Time) {
	var start uint64
	for _, w := range e.Master.Workers {
		if !w.ShuttingDown {
			start = max(start, w.Start)
		}
	}
	if start == 0 {
		return "", changed, read
	}
	read, err := e.Nginx.Started(start)
	if err != nil {
		return "", changed, read
	}
	var files []string
	for _, f := range e.Tree.Files() {
		files = append(files, f.Path)
	}
	for _, name := range append(files, e.SitesDir()) {
		if fi, err := os.Stat(e.Root + name); err == nil && fi.ModTime().After(changed) {
			file, changed = name, fi.ModTime()
		}
	}
	// A worker's start is good to a second or so.
	if !changed.After(read.Add(2 * time.Second)) {
		return "", changed, read
	}
	return file, changed, read
}
