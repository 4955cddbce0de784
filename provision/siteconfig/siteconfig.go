// Package siteconfig is for the file in which apply writes down what its options ask for, so that the next command
// without them asks for the same.
package siteconfig

import (
	"bytes"
	"context"
	"path/filepath"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/managed"
	"wsprovision/provision/secret"
)

// The file is root's alone: it may hold credentials of a repository.
const (
	fileMode      = 0o600
	directoryMode = 0o755
)

// File is the one that is to be written.
type File struct {
	files managed.Files
	want  config.Record
}

// New takes files as the run has them. What somebody has edited in the file is part of what is to be written, so that
// no edit is lost; a copy of it is kept all the same. A first boot knows of no edit made since, and leaves such a file
// as it is.
func New(files managed.Files, want config.Record) *File {
	files.Config.OnDrift = config.DriftReplace
	if want.Deferred {
		files.Config.OnDrift = config.DriftKeep
	}
	files.Elsewhere = func(string) string {
		return "say in the file itself what the options say, and run apply without them"
	}
	return &File{files: files, want: want}
}

// read gives what is there. A first boot, which nobody asks, refuses nothing for a file that somebody has put there
// since: it is left.
func (f *File) read() (managed.File, error) {
	file, err := f.files.File(managed.Want{Path: f.want.Path, Content: f.want.Content, Mode: fileMode})
	if f.want.Deferred && file.Foreign {
		file.Foreign, file.Kept = false, true
	}
	return file, err
}

// Check says what is to be written, and what of a site is another by it.
func (f *File) Check(context.Context) (engine.Finding, error) {
	var found engine.Finding
	file, err := f.read()
	if err != nil {
		return found, err
	}
	difference := diff(f.want.Path, file.Have.Content, f.want.Content)
	if err := f.files.SayForeign(&found, file, difference); err != nil {
		return found, err
	}
	if file.Kept {
		found.Warnings = append(found.Warnings, f.want.Path+" is not what the installation was to write, and is left "+
			"as it is: the next apply goes by it")
	}
	if !file.Differs() {
		return found, nil
	}
	if f.files.Euid == 0 {
		if err := f.files.Host.Files.Writable(f.want.Path); err != nil {
			return found, err
		}
	}
	for _, d := range f.want.Differs {
		found.Changes = append(found.Changes, engine.Change{Object: "site " + f.want.Site + ", " + d.Key, From: d.From,
			To: d.To})
	}
	change := managed.SiteChange(file)
	if change.Diff != "" {
		change.Diff = difference
	}
	if file.Have.Content != nil && change.Diff != "" {
		change.To = "written"
	}
	found.Changes = append(found.Changes, change)
	return found, nil
}

// diff hides what secrets the file may have: credentials, headers, and what a probe sends and waits for.
func diff(path string, have, want []byte) string {
	hidden := func(content []byte) []byte {
		if content == nil {
			return nil
		}
		return []byte(secret.Configuration(string(content)))
	}
	shown := engine.Unified(path, hidden(have), hidden(want))
	if shown == "" && !bytes.Equal(have, want) {
		return "(what is secret in " + path + " differs, which is not shown)\n"
	}
	return shown
}

// Apply writes it.
func (f *File) Apply(context.Context) error {
	file, err := f.read()
	if err != nil {
		return err
	}
	if err := f.files.SayForeign(&engine.Finding{}, file, ""); err != nil { // somebody's, since the survey
		return err
	}
	if err := f.files.Host.Files.MakeDir(filepath.Dir(f.want.Path), directoryMode); err != nil {
		return err
	}
	return f.files.Put(file)
}
