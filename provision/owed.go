package provision

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
)

// owedPath marks that a configuration is on the disk that nginx has not been
// proved to run. It lies under /run because a boot starts nginx with what is
// on the disk, which is when the debt stops mattering.
const owedPath = "/run/wsprovision/reload-owed"

// Owed is the debt of a reload: noted before the first file is renamed into
// place, settled only when a reload has been proved. It carries what the files
// held when nginx last took them, which is the way back.
type Owed struct{ files *Files }

// Proven is a file as nginx last took it; nil Content stands for no file.
type Proven struct {
	Path    string      `json:"path"`
	Absent  bool        `json:"absent"`
	Content []byte      `json:"content,omitempty"`
	Mode    fs.FileMode `json:"mode,omitempty"`
}

// Note makes the mark durable. Files that an earlier, unsettled mark speaks of
// keep their place in it: what was there before this run was never proved.
func (o Owed) Note(files ...Proven) error {
	due, noted, err := o.Due()
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, p := range noted {
		known[p.Path] = true
	}
	for _, p := range files {
		if !known[p.Path] {
			noted = append(noted, p)
			due = false
		}
	}
	if due {
		return nil
	}
	text, err := json.MarshalIndent(noted, "", "  ")
	if err != nil {
		return fmt.Errorf("note that a reload is owed: %w", err)
	}
	if err := o.files.MakeDir(filepath.Dir(owedPath), 0o700); err != nil {
		return err
	}
	return o.files.Write(owedPath, append(text, '\n'), 0o600)
}

// Due reports whether a reload is owed, and the way back.
func (o Owed) Due() (bool, []Proven, error) {
	have, err := o.files.Read(owedPath)
	if err != nil || have.Content == nil {
		return false, nil, err
	}
	var noted []Proven
	if err := json.Unmarshal(have.Content, &noted); err != nil {
		return true, nil, fmt.Errorf("read %s: %w; remove it and reload nginx by hand (systemctl reload nginx)", owedPath, err)
	}
	return true, noted, nil
}

// Settle removes the mark.
func (o Owed) Settle() error { return o.files.Remove(owedPath) }
