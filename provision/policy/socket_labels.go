package policy

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/selinux"
)

func (so Sockets) readLabels(d directory) (directory, error) {
	d.labels = map[string]string{}
	for _, name := range append([]string{d.path}, d.sockets...) {
		label, err := so.SELinux.Contexts().FileLabel(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return d, err
		}
		d.labels[name] = label
		if typ := host.TypeOf(label); !so.usable(typ) {
			if len(d.wrong) == 0 {
				d.has = typ
			}
			d.wrong = append(d.wrong, name)
		}
	}
	return d, nil
}

// socketLabels are the sockets' own.
func (d directory) socketLabels() map[string]string {
	all := maps.Clone(d.labels)
	delete(all, d.path)
	return all
}

// labelSockets gives each directory of sockets, and what is in it, the type of its record.
func (so Sockets) labelSockets() error {
	all, _, err := so.directories()
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.record == "" {
			continue
		}
		labels := map[string]string{}
		for _, name := range d.wrong {
			labels[name] = withType(d.labels[name], SocketType)
		}
		if err := so.setLabels(d.path, labels); err != nil {
			return err
		}
	}
	return nil
}

// withType is a context with another type, as restorecon(8) without -F makes it: the user, the role and the level stay.
func withType(label, typ string) string {
	fields := strings.SplitN(label, ":", 4)
	if len(fields) < 3 {
		return "system_u:object_r:" + typ + ":s0"
	}
	fields[2] = typ
	return strings.Join(fields, ":")
}

// setLabels leaves to the first boot what the kernel here cannot label.
func (so Sockets) setLabels(dir string, labels map[string]string) error {
	if len(labels) == 0 {
		return nil
	}
	return so.Seam.Do("label "+dir, func() error {
		for _, name := range slices.Sorted(maps.Keys(labels)) {
			err := so.SELinux.Contexts().SetFileLabel(name, labels[name])
			if err != nil && !errors.Is(err, fs.ErrNotExist) && (!so.Where.Offline() || !host.Unlabelable(err)) {
				return err
			}
		}
		return nil
	})
}

// UnlabelSockets brings back the labels that the directory and its sockets had, before the record goes; what has
// another than the agent's by now is left. A socket that was made since gets the type that the directory had.
func (so Sockets) UnlabelSockets(spec string) error {
	dir := selinux.Context{Spec: spec}.Directory()
	e, known := so.Ledger.Find(state.KindContext, spec)
	if !known || e.Label == "" {
		return nil
	}
	d, err := so.directory(dir)
	var lacks lacking
	if errors.As(err, &lacks) {
		return nil
	}
	if err != nil {
		return err
	}
	labels := map[string]string{}
	for name, label := range d.labels {
		had, recorded := e.Labels[name]
		switch {
		case slices.Contains(d.wrong, name):
		case name == dir:
			labels[name] = e.Label
		case recorded:
			labels[name] = had
		default:
			labels[name] = withType(label, host.TypeOf(e.Label))
		}
	}
	return so.setLabels(dir, labels)
}
