package engine

import (
	"bytes"
	"fmt"
	"strings"

	udiff "github.com/aymanbagabas/go-udiff"

	"wsprovision/provision/secret"
)

// Change is one difference between the host and what the configuration asks
// for. It is plain data: it prints, sorts and marshals by itself.
type Change struct {
	// Object names what differs, in the field's own words:
	// "boolean httpd_can_network_connect (running)", "port tcp/3000".
	Object string `json:"object"`
	// From and To are the value read and the value asked for.
	From string `json:"from"`
	To   string `json:"to"`
	// Diff is a unified diff, for files only.
	Diff string `json:"diff,omitempty"`
	// Deferred says why the change cannot be made now and is left to the
	// first boot; empty where it can be made now.
	Deferred string `json:"deferred,omitempty"`
}

// String is the one-line form: "port tcp/3000: ntop_port_t → http_port_t".
func (c Change) String() string {
	s := fmt.Sprintf("%s: %s → %s", c.Object, c.From, c.To)
	if c.Deferred != "" {
		s += " (deferred: " + c.Deferred + ")"
	}
	return s
}

// unified is the diff from one file content to another, in the form that
// patch(1) reads. A nil content stands for a file that is not there.
// Credentials in a repository file are not shown.
func Unified(path string, from, to []byte) string {
	if strings.HasSuffix(path, ".repo") && (secret.In(string(from)) || secret.In(string(to))) {
		return withoutSecrets(path, from, to)
	}
	return diff(path, from, to)
}

func withoutSecrets(path string, from, to []byte) string {
	hide := func(content []byte) []byte {
		if content == nil {
			return nil
		}
		return []byte(secret.Hide(string(content)))
	}
	if shown := diff(path, hide(from), hide(to)); shown != "" || (from == nil) == (to == nil) && bytes.Equal(from, to) {
		return shown
	}
	return "(the credentials in " + path + " differ, which are not shown)\n"
}

func diff(path string, from, to []byte) string {
	older, newer := path, path
	if from == nil {
		older = "/dev/null"
	}
	if to == nil {
		newer = "/dev/null"
	}
	return udiff.Unified(older, newer, string(from), string(to))
}

// outstanding are the changes that could be made now and were not.
func Outstanding(changes []Change) []Change {
	var open []Change
	for _, c := range changes {
		if c.Deferred == "" {
			open = append(open, c)
		}
	}
	return open
}
