package rpm

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

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
var validID = regexp.MustCompile(`^[A-Za-z0-9_.:-]+$`)

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
func (h Host) Repositories() ([]Repository, error) {
	_, defined, err := h.definitions()
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

// definitions are yum's [main] and the repositories, each with the places of what is said.
func (h Host) definitions() (main section, all []definition, err error) {
	if main, all, err = h.mainConf(); err != nil {
		return main, nil, fmt.Errorf("read repositories: %w", err)
	}
	files, err := h.repoFiles(main)
	if err != nil {
		return main, nil, fmt.Errorf("read repositories: %w", err)
	}
	for _, file := range files {
		sections, err := h.readINI(file)
		if err != nil {
			return main, nil, fmt.Errorf("read repositories: %w", err)
		}
		if all, err = addDefinitions(all, sections, main, file); err != nil {
			return main, nil, fmt.Errorf("read repositories: %w", err)
		}
	}
	for i := range all {
		all[i].Enabled = all[i].Enabled || slices.Contains(h.beside.Enable, all[i].ID)
	}
	return main, all, nil
}

func (h Host) mainConf() (section, []definition, error) {
	main := section{name: "main", keys: map[string]string{}, at: map[string]string{}}
	for _, file := range mainConf {
		sections, err := h.readINI(file)
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

func (h Host) repoFiles(main section) ([]string, error) {
	var files []string
	for _, dir := range h.repoDirs(main) {
		entries, err := os.ReadDir(filepath.Join(h.Root, dir))
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
			if _, err := os.Stat(filepath.Join(h.Root, name)); !errors.Is(err, fs.ErrNotExist) {
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
		if r.ID != "main" && r.ID != "installed" && validID.MatchString(r.ID) && !slices.ContainsFunc(all, known) {
			all = append(all, definition{r, s})
		}
	}
	return all, nil
}

func repository(s section, main section, file string) Repository {
	enabled, ok1 := boolOption(true, main.keys["enabled"], s.keys["enabled"])
	gpgcheck, ok2 := boolOption(false, main.keys["gpgcheck"], s.keys["gpgcheck"])
	return Repository{
		ID: s.name, Name: s.keys["name"],
		BaseURL:    strings.Join(listOption(s.keys["baseurl"]), " "),
		Mirrorlist: s.keys["mirrorlist"], Metalink: s.keys["metalink"],
		Enabled: enabled && ok1 && ok2, GPGCheck: gpgcheck,
		GPGKey: listOption(s.keys["gpgkey"]),
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
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ().,:+_/$-]*$`)

// plainURL leaves out blanks, quotes, commas, comment signs and everything beyond ASCII: yum splits at the first three.
var plainURL = regexp.MustCompile(`^(https?|file)://[A-Za-z0-9._~:/?@!$&*+=%\[\]-]+$`)

func (r Repository) checkRender() error {
	switch {
	case !validID.MatchString(r.ID) || r.ID == "main" || r.ID == "installed":
		return errors.New("the id is not one that yum takes")
	case !plainName.MatchString(r.Name) || strings.TrimSpace(r.Name) != r.Name:
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
		if path, ok := localKey(key); !ok || !saneURL(key) || path != filepath.Clean(path) {
			return fmt.Errorf("gpgkey %q is not a file:/// URL", key)
		}
	}
	return nil
}

func saneURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && plainURL.MatchString(s) && (u.Scheme == "file" && u.Host == "" || u.Scheme != "file" &&
		u.Hostname() != "")
}
