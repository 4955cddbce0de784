package host

import (
	"errors"
	"io/fs"
	"strings"

	"wsprovision/selinux"
)

// PolicyLabel is the label that the policy has for a path, "" where there is no
// policy (yet) that says.
func (f *Files) PolicyLabel(path string, mode fs.FileMode) (string, error) {
	if f.Label == nil {
		return "", nil
	}
	label, err := f.Label(path, mode)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return label, err
}

// PolicyLabels is PolicyLabel of many at once; nil where that cannot tell.
func (f *Files) PolicyLabels(modes map[string]fs.FileMode) map[string]string {
	if f.Labels == nil || len(modes) == 0 {
		return nil
	}
	var paths []selinux.Path
	for name, mode := range modes {
		paths = append(paths, selinux.Path{Name: name, Mode: mode})
	}
	found, err := f.Labels(paths...)
	if err != nil {
		return nil
	}
	labels := map[string]string{}
	for i, p := range paths {
		labels[p.Name] = found[i]
	}
	return labels
}

// CustomLabel is the label of a file that is there, where the policy has another
// type for its path.
func (f *Files) CustomLabel(path string, have File) string {
	label, err := f.PolicyLabel(path, have.Mode)
	if err != nil || label == "" || have.Label == "" || TypeOf(have.Label) == TypeOf(label) {
		return ""
	}
	return have.Label
}

// TypeOf is the third field of a context: the one that the targeted policy
// decides by.
func TypeOf(context string) string {
	fields := strings.SplitN(context, ":", 4)
	if len(fields) < 3 {
		return context
	}
	return fields[2]
}
