package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"wsprovision/provision/config/reading"
	"wsprovision/provision/hostfile"
)

// mostFiles bounds the directory of sites.
const mostFiles = 1000

// beside are the files of the directory of sites, in the order of their names. As for the shell's *.yaml, a name that
// begins with a dot is none of them.
func (in Input) beside(p *reading.Problems) []string {
	if in.SitesDir == "" {
		return nil
	}
	entries, err := os.ReadDir(in.SitesDir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			p.Add(reading.Problem{Source: in.SitesDir, Message: cannotList(err)})
		}
		return nil
	}
	var all []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".yaml") && !strings.HasPrefix(e.Name(), ".") {
			all = append(all, filepath.Join(in.SitesDir, e.Name()))
		}
	}
	if len(all) > mostFiles {
		p.Add(reading.Problem{Source: in.SitesDir, Message: fmt.Sprintf("has %d files: at most %d are read", len(all),
			mostFiles)})
		return nil
	}
	var right []string
	for _, path := range all {
		if in.plain(path, p) {
			right = append(right, path)
		}
	}
	return right
}

func cannotList(err error) string {
	if message := unreadable(err, 0, 0); message != "" && errors.Is(err, fs.ErrPermission) {
		return message
	}
	return "cannot be listed: " + err.Error()
}

// plain reports whether a file of the directory may be read: nobody has typed its name, so that it is a plain file.
func (in Input) plain(path string, p *reading.Problems) bool {
	if in.Trusted {
		return !distrusted(path, p)
	}
	if err := hostfile.Regular(path); err != nil {
		p.Add(reading.Problem{Source: path, Message: err.Error() + ": only plain files are read there"})
		return false
	}
	return true
}

// join reads further files behind the first, and leaves a place for one more site behind those of the file slot, which
// may have to come.
func (c *contents) join(paths []string, slot string, p *reading.Problems) {
	c.read, c.first, c.count, c.slot = map[string][]byte{}, map[string]int{}, map[string]int{}, -1
	for _, path := range paths {
		if slot != "" && path > slot {
			c.leave(&slot)
		}
		c.readNext(path, p)
		if path == slot {
			c.leave(&slot)
		}
	}
	if slot != "" {
		c.leave(&slot)
	}
}

// leave leaves the place of a site.
func (c *contents) leave(slot *string) {
	c.slot, *slot = len(c.sites), ""
	c.sites = append(c.sites, Site{})
}

func (c *contents) readNext(path string, p *reading.Problems) {
	content, err := readBounded(path, maxSize)
	if message := unreadable(err, len(content), maxSize); message != "" {
		p.Add(reading.Problem{Source: path, Message: message})
		return
	}
	more := readFile(path, content, false, len(c.sites), p)
	c.read[path], c.first[path], c.count[path] = content, len(c.sites), len(more.sites)
	c.take(path, more, p)
}

// take adds what one more file says. A key of the host that two files give two values has none.
func (c *contents) take(path string, more contents, p *reading.Problems) {
	for key, value := range more.values {
		if have, twice := c.values[key]; twice && !reflect.DeepEqual(have, value) {
			first := c.at[key]
			p.Add(reading.Problem{Key: key, Line: more.at[key].Line, Source: path, Message: fmt.Sprintf(
				"%v, and %s (line %d) says %v: let one of the two files say it", value, first.Source, first.Line,
				have)})
			continue
		}
		c.values[key] = value
	}
	for key, w := range more.at {
		if _, first := c.at[key]; !first {
			c.at[key] = w
		}
	}
	c.sites = append(c.sites, more.sites...)
}
