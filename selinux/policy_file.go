package selinux

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"wsprovision/selinux/policydb"

	"golang.org/x/sys/unix"
)

// Cache keeps the policy on disk and the loaded one in memory (about half a megabyte each), and the default labels that
// were asked for, until they change. The zero value is ready; it may be shared by goroutines and by copies of a Host.
type Cache struct {
	mu              sync.Mutex
	stored, running cached
	contexts        string            // the version of file_contexts that labels are of
	labels          map[string]string // by path and kind
}

type cached struct {
	key    string
	policy *policydb.Policy
}

// get returns what was kept under the key, or reads and keeps it. A nil Cache reads every time.
func (c *Cache) get(slot func(*Cache) *cached, key string, read func() (*policydb.Policy, error)) (*policydb.Policy,
	error) {
	if c == nil || key == "" {
		return read()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := slot(c)
	if kept.policy != nil && kept.key == key {
		return kept.policy, nil
	}
	p, err := read()
	if err == nil {
		*kept = cached{key, p}
	}
	return p, err
}

// match returns the label of each matcher. Those that were not asked for before under the same version of file_contexts
// are found first, together.
func (c *Cache) match(version string, matchers []matcher, find func([]matcher) error) ([]string, error) {
	if c == nil {
		c = new(Cache)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.contexts != version || c.labels == nil {
		c.contexts, c.labels = version, map[string]string{}
	}
	var unknown []matcher
	for _, m := range matchers {
		if _, known := c.labels[m.key()]; !known {
			unknown = append(unknown, m)
		}
	}
	if len(unknown) > 0 {
		if err := find(unknown); err != nil {
			return nil, err
		}
	}
	for i := range unknown {
		c.labels[unknown[i].key()] = unknown[i].label()
	}
	labels := make([]string, len(matchers))
	for i := range matchers {
		labels[i] = c.labels[matchers[i].key()]
	}
	return labels, nil
}

// storedPolicy reads the policy that the next boot loads.
func (ps policies) storedPolicy() (*policydb.Policy, error) {
	name, err := ps.policyFile()
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Stat(ps.path(name), &st); err != nil {
		return nil, fmt.Errorf("read policy: %w: %s: %w", ErrUnknown, name, err)
	}
	key := fmt.Sprint(name, st.Dev, st.Ino, st.Size, st.Mtim, st.Ctim)
	return ps.Cache.get(func(c *Cache) *cached { return &c.stored }, key, func() (*policydb.Policy, error) {
		return ps.readPolicyFile(name)
	})
}

func (ps policies) readPolicyFile(name string) (*policydb.Policy, error) {
	return walk(ps.system, name, policydb.ReadPolicy)
}

func walk[T any](s system, name string, read func(io.Reader) (T, error)) (p T, err error) {
	f, err := os.Open(s.path(name))
	if err != nil {
		return p, fmt.Errorf("read policy: %w: %w", ErrUnknown, err)
	}
	defer f.Close() //nolint:errcheck // only read
	if p, err = read(f); err != nil {
		return p, fmt.Errorf("read %s: %w: %w", name, ErrUnknown, err)
	}
	return p, nil
}

// policyFile returns the policy.NN of the highest version, which is what load_policy(8) tries first; where the
// directory has none, the store's own copy.
func (ps policies) policyFile() (string, error) {
	c, err := ps.config()
	if err != nil {
		return "", err
	}
	dir := etc + "/" + c.policy + "/policy"
	entries, err := ps.list(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read policy: %w: %w", ErrUnknown, err)
	}
	if best := highestVersion(entries); best != "" {
		return path.Join(dir, best), nil
	}
	store, err := ps.store(c.policy)
	if err != nil {
		return "", err
	}
	if store != "" {
		return path.Join(store, "policy.kern"), nil
	}
	return "", fmt.Errorf("read policy: %w: no %s/policy.NN and no store: %w", ErrUnknown, dir, fs.ErrNotExist)
}

func highestVersion(entries []fs.DirEntry) string {
	best, name := -1, ""
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), "policy.")
		if v, err := strconv.Atoi(number); ok && err == nil && v > best {
			best, name = v, e.Name()
		}
	}
	return name
}

// runningPolicy reads the policy that the kernel enforces. selinuxfs lets one process at a time have it open, and needs
// the permission security:read_policy.
func (ps policies) runningPolicy(ctx context.Context) (*policydb.Policy, error) {
	dir, err := ps.kernel()
	if err != nil {
		return nil, err
	}
	return ps.Cache.get(func(c *Cache) *cached { return &c.running }, ps.loads(dir), func() (*policydb.Policy, error) {
		return patiently(ctx, ps.sleep, func() (*policydb.Policy, error) { return ps.readPolicyFile(dir + "/policy") })
	})
}

// patiently reads the loaded policy again where somebody else has it open.
func patiently[T any](ctx context.Context, sleep func(context.Context, time.Duration) error,
	read func() (T, error)) (T, error) {
	for try := 0; ; try++ {
		p, err := read()
		if !errors.Is(err, unix.EBUSY) || try == 4 {
			return p, err
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return p, fmt.Errorf("read loaded policy: %w: %w", ErrUnknown, err)
		}
	}
}

// loads counts the policies loaded since boot, by the status page of selinuxfs (kernel 2.6.37: version, sequence,
// enforcing, number of loads, deny_unknown, 32 bits each in the machine's order). "" where it does not tell.
func (ps policies) loads(dir string) string {
	b, err := ps.read(dir, "status")
	if err != nil || len(b) < 20 {
		return ""
	}
	return string(b[12:16])
}
