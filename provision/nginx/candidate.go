package nginx

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/provision/nginx/conf"
)

// Test runs nginx -t on the whole configuration with overlay in place (nil content: the file is absent), and leaves
// nothing on the host: it runs in a mount namespace of its own, where every directory in which nginx -t makes or
// removes something is covered by a copy and the rest is read-only. It really binds the addresses, as nginx -t does,
// and ignores those in use.
//
// The configuration may be used if no Problem is Fatal; what SELinux forbids to httpd_t does not show, nginx -t being
// run by the agent. An error means that it could not be tested: ErrNeedsRoot, or nginx was killed.
func (n Nginx) Test(ctx context.Context, overlay map[string][]byte) ([]Problem, error) {
	problems, err := n.test(ctx, overlay)
	if err != nil {
		return nil, fmt.Errorf("test the configuration: %w", err)
	}
	return problems, nil
}

func (n Nginx) test(ctx context.Context, overlay map[string][]byte) ([]Problem, error) {
	// What is wrong with the tree nginx says itself, in its own order, but for the one thing that it dies of.
	tree, err := n.Reader.Load(n.Root, n.conf(), overlay)
	if cycle := (*conf.CycleError)(nil); errors.As(err, &cycle) {
		return []Problem{{"emerg", fmt.Sprintf("include cycle: %s is being read already", cycle.Includes), cycle.File,
			cycle.Line}}, nil
	}
	b, err := n.build(ctx)
	if err != nil {
		return nil, err
	}
	touched := tree.Paths().Touched(b)
	for range 4 {
		problems, err := n.testOnce(ctx, overlay, touched)
		more := slices.DeleteFunc(refused(problems), func(name string) bool { return slices.Contains(touched, name) })
		if err != nil || len(more) == 0 {
			return problems, err
		}
		touched = append(touched, more...)
	}
	return n.testOnce(ctx, overlay, touched)
}

var readOnly = lazy.Regexp(`^[a-z_]+\(\) "(/[^"]+)" failed \(30: `)

// refused are paths that nginx wanted to write to and could not: a module's, unknown to us, which a second try covers.
func refused(problems []Problem) []string {
	var all []string
	for _, p := range problems {
		if m := readOnly().FindStringSubmatch(p.Message); m != nil {
			all = append(all, path.Clean(m[1]))
		}
	}
	return all
}

func (n Nginx) testOnce(ctx context.Context, overlay map[string][]byte, touched []string) (problems []Problem,
	err error) {
	plan := plan(n.Root, overlay, touched)
	err = Isolated(func() error {
		// Before the covers: a mount point looked up afterwards would be the cover on top of it.
		if n.Root == "" {
			if err := makeReadOnly(n.proc()); err != nil {
				return err
			}
		}
		for _, c := range plan {
			if err := c.apply(); err != nil {
				return err
			}
		}
		_, stderr, status, err := n.Read(ctx, "", n.program(), "-t", "-c", n.conf())
		if err != nil {
			return killed(err)
		}
		problems = parseTest(stderr, status)
		return nil
	})
	return problems, err
}

func killed(err error) error {
	if strings.Contains(err.Error(), "segmentation fault") {
		return fmt.Errorf("nginx -t crashed (a file that includes itself does this, and so do broken modules): %w", err)
	}
	return err
}
