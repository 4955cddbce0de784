package selinux

import (
	"fmt"
	"path"
	"strings"

	"wsprovision/provision/lazy"
)

// Context is a record of file contexts: what the specification matches, of whatever kind, has the type.
type Context struct{ Spec, Type string }

// below is how semanage's manual writes a directory and all that is in it.
const below = "(/.*)?"

// plainPath has no character that is more than itself in a line of semanage's, but for the dot.
var plainPath = lazy.Regexp(`^(/[A-Za-z0-9._~=@-]+)+$`)

// Below is the specification of a directory and all that is in it. The error is of a directory that the policy knows by
// another name: semanage refuses those ("conflicts with equivalency rule").
func (cs Contexts) Below(dir string) (string, error) {
	if !plainPath().MatchString(dir) || path.Clean(dir) != dir {
		return "", fmt.Errorf("label what is below %q: only letters, digits and / - . _ ~ = @ can be labelled by path",
			dir)
	}
	known, err := cs.Known(dir)
	if err != nil {
		return "", err
	}
	if known != dir {
		return "", fmt.Errorf("label what is below %s: the policy has it under the name %s", dir, known)
	}
	return strings.ReplaceAll(dir, ".", `\.`) + below, nil
}

// Known is the name that the policy has for a path, and the only one that semanage takes: /var/run/app on RHEL 7 for
// /run/app.
func (cs Contexts) Known(name string) (string, error) {
	c, err := cs.config()
	if err != nil {
		return "", err
	}
	subs, err := cs.substitutions(path.Join(etc, c.policy, "contexts/files/file_contexts"))
	return substitute(subs, name), err
}

// Directory is the directory of a specification that Below gave.
func (c Context) Directory() string {
	return strings.ReplaceAll(strings.TrimSuffix(c.Spec, below), `\.`, ".")
}

// none is the record of files that get no label.
const none = "<<none>>"

// LocalContext is the type of the local record of exactly this specification, "" where there is none.
func (cs Contexts) LocalContext(spec string) (string, error) {
	text, err := cs.storeFile("file_contexts.local")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == spec {
			if f[len(f)-1] == none {
				return none, nil
			}
			typ, err := contextType(f[len(f)-1])
			if err != nil {
				return "", fmt.Errorf("file_contexts.local: %q: %w", line, err)
			}
			return typ, nil
		}
	}
	return "", nil
}

func (c Context) check() error {
	if !strings.HasSuffix(c.Spec, below) || !plainPath().MatchString(c.Directory()) {
		return fmt.Errorf("file context %q: not a directory and what is below it", c.Spec)
	}
	return nil
}
