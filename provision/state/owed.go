package state

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"wsprovision/provision/host"
)

// OwedPath marks that a configuration is on the disk that nginx has not been
// proved to run. It lies under /run because a boot starts nginx with what is
// on the disk, which is when the debt stops mattering.
const OwedPath = "/run/wsprovision/reload-owed"

// Owed is the debt of a reload: noted before the first file is renamed into
// place, settled only when a reload has been proved. It carries what the files
// held when nginx last took them, which is the way back.
type Owed struct{ Files *host.Files }

// Proven is a file as nginx last took it; nil Content stands for no file.
type Proven struct {
	// Master is the nginx that took it, "" where none ran.
	Master  string      `json:"master,omitempty"`
	Path    string      `json:"path"`
	Absent  bool        `json:"absent"`
	Content []byte      `json:"content,omitempty"`
	Mode    fs.FileMode `json:"mode,omitempty"`
	host.Owner
	Label string `json:"label,omitempty"` // where it is not the policy's
	// Theirs says that somebody had changed it since the agent left it.
	Theirs bool `json:"theirs,omitempty"`
}

// Note makes the mark durable. Files that an earlier, unsettled mark speaks of
// keep their place in it: what was there before this run was never proved.
func (o Owed) Note(master string, files ...Proven) error {
	due, noted, err := o.Due()
	if err != nil {
		return err
	}
	way := WayBack(master, noted)
	for _, p := range files {
		if !slices.ContainsFunc(way, func(known Proven) bool { return known.Path == p.Path }) {
			p.Master = master
			way = append(way, p)
		}
	}
	if due && slices.EqualFunc(way, noted, func(a, b Proven) bool { return a.Path == b.Path && a.Master == b.Master }) {
		return nil
	}
	text, err := json.MarshalIndent(way, "", "  ")
	if err != nil {
		return fmt.Errorf("note that a reload is owed: %w", err)
	}
	// Whoever plans without root may see that nothing is owed.
	if err := o.Files.MakeDir(filepath.Dir(OwedPath), 0o755); err != nil {
		return err
	}
	return o.Files.Write(OwedPath, append(text, '\n'), 0o600)
}

// WayBack is what the master that runs now had last taken of the noted files.
// One that was started since took what it found on the disk, whatever was there.
func WayBack(master string, noted []Proven) []Proven {
	if master == "" {
		return noted
	}
	return slices.DeleteFunc(slices.Clone(noted), func(p Proven) bool { return p.Master != master })
}

// Due reports whether a reload is owed, and the way back.
func (o Owed) Due() (bool, []Proven, error) {
	have, err := o.Files.Read(OwedPath)
	if err != nil || have.Content == nil {
		return false, nil, err
	}
	var noted []Proven
	if err := json.Unmarshal(have.Content, &noted); err != nil {
		return true, nil, fmt.Errorf("read %s: %w; remove it and reload nginx by hand (systemctl reload nginx)",
			OwedPath, err)
	}
	return true, noted, nil
}

// Settle removes the mark.
func (o Owed) Settle() error { return o.Files.Remove(OwedPath) }
