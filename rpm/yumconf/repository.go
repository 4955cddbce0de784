package yumconf

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"wsprovision/provision/lazy"
	"wsprovision/provision/secret"
)

// Repository is one [section] of a .repo file, as far as trust and reach are concerned. Of variables only those stand
// as written whose value yum alone knows ($releasever).
type Repository struct {
	ID, Name             string
	BaseURL              string // several are separated by blanks
	Mirrorlist, Metalink string
	Enabled, GPGCheck    bool
	GPGKey               []string // URLs; yum -y imports what it finds there
	File                 string   // where it is defined, without Root
}

// validID is what yum allows in a repository's id (yum/misc.py validate_repoid); it skips a section named otherwise.
var validID = lazy.Regexp(`^[A-Za-z0-9_.:-]+$`)

// mainConf are yum's main configuration, of which the first that exists counts (yum/__init__.py), and, where only dnf
// is installed, dnf's.
var mainConf = []string{"/etc/yum/yum.conf", "/etc/yum.conf", "/etc/dnf/dnf.conf"}

// defaultRepoDirs is reposdir's default in yum 3.4.3 (config.py); a directory that does not exist is passed over.
var defaultRepoDirs = []string{"/etc/yum/repos.d", "/etc/yum.repos.d"}

// Repositories reads what yum would: the sections of yum.conf, then *.repo by name in each directory of reposdir. The
// first definition of an id counts. A file that yum could not read is an error that names it, because yum then does
// nothing at all. A boolean that yum does not understand makes it skip the repository: Enabled is false. Repositories
// that a plugin makes up while yum runs (yum-rhn-plugin) are in no file and not seen here; subscription-manager's
// redhat.repo is.
func (c Conf) Repositories() ([]Repository, error) {
	_, defined, err := c.Definitions()
	var all []Repository
	for _, d := range defined {
		all = append(all, d.Repository)
	}
	return all, err
}

// definition is a repository with the section that it was read from.
type definition struct {
	Repository
	section section
}

// Definitions are yum's [main] and the repositories, each with the places of what is said.
func (c Conf) Definitions() (main section, all []definition, err error) {
	if main, all, err = c.mainConf(); err != nil {
		return main, nil, fmt.Errorf("read repositories: %w", err)
	}
	files, err := c.repoFiles(main)
	if err != nil {
		return main, nil, fmt.Errorf("read repositories: %w", err)
	}
	for _, file := range files {
		sections, err := c.readINI(file)
		if err != nil {
			return main, nil, fmt.Errorf("read repositories: %w", err)
		}
		if all, err = addDefinitions(all, sections, main, file); err != nil {
			return main, nil, fmt.Errorf("read repositories: %w", err)
		}
	}
	for i := range all {
		all[i].Enabled = all[i].Enabled || slices.Contains(c.Beside.Enable, all[i].ID)
	}
	return main, all, nil
}

func (c Conf) mainConf() (section, []definition, error) {
	main := section{name: "main", Keys: map[string]string{}, at: map[string]string{}}
	for _, file := range mainConf {
		sections, err := c.readINI(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return main, nil, err
		}
		for _, s := range sections {
			if s.name == "main" {
				main = s
			}
		}
		all, err := addDefinitions(nil, sections, main, file)
		return main, all, err
	}
	return main, nil, nil
}

func (c Conf) repoFiles(main section) ([]string, error) {
	var files []string
	for _, dir := range c.RepoDirs(main) {
		entries, err := os.ReadDir(filepath.Join(c.Root, dir))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries { // ReadDir sorts, as yum does
			name := filepath.Join(dir, e.Name())
			if !strings.HasSuffix(name, ".repo") || strings.HasPrefix(e.Name(), ".") {
				continue
			}
			// yum passes over a link to nowhere (config.py getReposFromConfig…, "Skipping unreadable repository").
			if _, err := os.Stat(filepath.Join(c.Root, name)); !errors.Is(err, fs.ErrNotExist) {
				files = append(files, name)
			}
		}
	}
	return files, nil
}

// listOption splits as yum's ListOption: at blanks, newlines and commas.
func listOption(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' })
}

func addDefinitions(all []definition, sections []section, main section, file string) ([]definition, error) {
	for _, s := range sections {
		r := repository(s, main, file)
		known := func(other definition) bool { return other.ID == r.ID }
		if r.Enabled && strings.Contains(r.ID, "$") {
			return nil, fmt.Errorf("%s: [%s]: the name that yum makes of this is not known here, and so it could not "+
				"be kept to keys that are trusted: write the name out, or disable it", file, r.ID)
		}
		if r.ID != "main" && r.ID != "installed" && validID().MatchString(r.ID) && !slices.ContainsFunc(all, known) {
			all = append(all, definition{r, s})
		}
	}
	return all, nil
}

func repository(s section, main section, file string) Repository {
	enabled, ok1 := boolOption(true, main.Keys["enabled"], s.Keys["enabled"])
	gpgcheck, ok2 := boolOption(false, main.Keys["gpgcheck"], s.Keys["gpgcheck"])
	return Repository{
		ID: s.name, Name: s.Keys["name"],
		BaseURL:    strings.Join(listOption(s.Keys["baseurl"]), " "),
		Mirrorlist: s.Keys["mirrorlist"], Metalink: s.Keys["metalink"],
		Enabled: enabled && ok1 && ok2, GPGCheck: gpgcheck,
		GPGKey: listOption(s.Keys["gpgkey"]),
		File:   file,
	}
}

// boolOption takes the last value that is said; yum's BoolOption knows three words for each (config.py).
func boolOption(value bool, said ...string) (bool, bool) {
	for _, s := range said {
		switch strings.ToLower(s) {
		case "":
		case "0", "no", "false":
			value = false
		case "1", "yes", "true":
			value = true
		default:
			return false, false
		}
	}
	return value, true
}

// Render is the .repo file of a repository that is ours, or an error where a value could say more than it should. It is
// always checked by signature, and its keys are local files, so that yum fetches none.
func (r Repository) Render() ([]byte, error) {
	if err := r.checkRender(); err != nil {
		return nil, fmt.Errorf("repository %q: %w", r.ID, err)
	}
	var b bytes.Buffer
	b.WriteString("# Written by wsprovision from its configuration. Do not edit: the next run writes it again.\n")
	fmt.Fprintf(&b, "[%s]\nname=%s\n", r.ID, r.Name)
	for _, kv := range [][2]string{{"baseurl", r.BaseURL}, {"mirrorlist", r.Mirrorlist}, {"metalink", r.Metalink}} {
		if kv[1] != "" {
			fmt.Fprintf(&b, "%s=%s\n", kv[0], kv[1])
		}
	}
	enabled := 0
	if r.Enabled {
		enabled = 1
	}
	fmt.Fprintf(&b, "enabled=%d\ngpgcheck=1\ngpgkey=%s\n", enabled, strings.Join(r.GPGKey, " "))
	return b.Bytes(), nil
}

// plainName is safe in a .repo file: no line ends, no comment signs, no brackets.
var plainName = lazy.Regexp(`^[A-Za-z0-9][A-Za-z0-9 ().,:+_/$-]*$`)

// plainURL leaves out blanks, quotes, commas, comment signs and everything beyond ASCII: yum splits at the first three.
var plainURL = lazy.Regexp(`^(https?|file)://[A-Za-z0-9._~:/?@!$&*+=%\[\]-]+$`)

func (r Repository) checkRender() error {
	switch {
	case !validID().MatchString(r.ID) || r.ID == "main" || r.ID == "installed":
		return errors.New("the id is not one that yum takes")
	case !plainName().MatchString(r.Name) || strings.TrimSpace(r.Name) != r.Name:
		return fmt.Errorf("name %q is not plain text", r.Name)
	case !r.GPGCheck:
		return errors.New("gpgcheck is off: signatures are always checked")
	case len(r.GPGKey) == 0:
		return errors.New("no gpgkey")
	case r.BaseURL == "" && r.Mirrorlist == "" && r.Metalink == "":
		return errors.New("none of baseurl, mirrorlist and metalink")
	}
	for _, u := range []string{r.BaseURL, r.Mirrorlist, r.Metalink} {
		if u != "" && !saneURL(u) {
			return fmt.Errorf("%q is not an http, https or file URL", secret.Hide(u))
		}
	}
	for _, key := range r.GPGKey {
		if path, ok := LocalKey(key); !ok || !saneURL(key) || path != filepath.Clean(path) {
			return fmt.Errorf("gpgkey %q is not a file:/// URL", key)
		}
	}
	return nil
}

func saneURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && plainURL().MatchString(s) && (u.Scheme == "file" && u.Host == "" || u.Scheme != "file" &&
		u.Hostname() != "")
}

// Conf is yum's configuration below Root, and what one run of yum has beside it.
type Conf struct {
	Root   string
	Beside Beside
}

// LocalKey is the path in a file: URL as yum reads it. Escapes and quotes are refused rather than decoded the way we
// think.
func LocalKey(keyURL string) (string, bool) {
	path, ok := strings.CutPrefix(keyURL, "file:")
	if !ok {
		return "", false
	}
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		path = rest
	}
	plain := strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") &&
		!strings.ContainsAny(path, "%?#\"'\\= \t\n,")
	return path, plain
}

var variable = lazy.Regexp(`\$\{?(\w+)\}?`)

// expand replaces yum's variables whose value is a constant here or a file in /etc/yum/vars (yum.conf(5)). Others stay,
// and a key in such a path is not vouched for: $releasever, which yum takes from the release package, and $arch, which
// is ia32e or amd64 after the processor's vendor (rpmUtils/arch.py).
func (c Conf) expand(s string) string {
	return variable().ReplaceAllStringFunc(s, func(v string) string {
		name := strings.ToLower(variable().FindStringSubmatch(v)[1])
		for _, dir := range []string{"/etc/yum/vars", "/etc/dnf/vars"} {
			if text, err := os.ReadFile(filepath.Join(c.Root, dir, name)); err == nil {
				first, _, _ := strings.Cut(string(text), "\n")
				return first
			}
		}
		if name == "basearch" {
			return "x86_64" // the only architecture that we are built for
		}
		return v
	})
}

// FetchFile reads a file of the host, of at most limit bytes.
func (c Conf) FetchFile(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(filepath.Join(c.Root, path), os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would be waited for
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errors.New("not a regular file"), err)
	}
	return ReadAll(f, limit)
}

// ReadAll reads at most limit bytes, and is an error where there are more.
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("more than %d bytes", limit)
	}
	if len(data) == 0 {
		return nil, errors.New("it is empty")
	}
	return data, nil
}

// ProxyOptions are yum.conf's, or those of the enabled repository below whose baseurl the address lies. A file that
// this user may not read has none.
func (c Conf) ProxyOptions(address string) (map[string]string, error) {
	main, _, err := c.mainConf()
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for yum's proxy: %w", err)
	}
	files, err := c.repoFiles(main)
	if err != nil {
		return nil, fmt.Errorf("look for yum's proxy: %w", err)
	}
	for _, file := range append(files, mainConf...) {
		sections, err := c.readINI(file)
		if err != nil { // yum itself will complain of it
			continue
		}
		for _, s := range sections {
			if repository(s, main, file).holds(address) {
				return inherit(main.Keys, s.Keys), nil
			}
		}
	}
	return main.Keys, nil
}

// holds reports whether the address lies below a baseurl.
func (r Repository) holds(address string) bool {
	for _, base := range strings.Fields(r.BaseURL) {
		if r.Enabled && strings.HasPrefix(address, strings.TrimSuffix(base, "/")+"/") {
			return true
		}
	}
	return false
}

// inherit are a repository's options; what it does not say yum.conf says.
func inherit(main, own map[string]string) map[string]string {
	options := map[string]string{}
	for _, name := range []string{"proxy", "proxy_username", "proxy_password"} {
		options[name] = cmp.Or(own[name], main[name])
	}
	return options
}
