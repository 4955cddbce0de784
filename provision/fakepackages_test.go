package provision

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/host"
	"wsprovision/provision/labels"
	"wsprovision/provision/packages"
	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/rpmdb"
)

// fakePackages is how the rpm database and yum's repositories of a fakeHost behave. What is installed and which keys
// are imported stands in its tree, in /var/lib/rpm.
type fakePackages struct {
	available map[string]string // package: id of the repository that has it
	// yum replaces one run of yum, on demand; handled false lets the usual one happen.
	yum func(names []string) (stdout, stderr string, status int, handled bool)
	// signature is what rpm -K -v says of a package file, but for its first line.
	signature string
	// transactions says which one brought each package; with the database, but a crash of the agent does not touch it.
	transactions map[string]int64
	transaction  int64
	// closed is how many more times the database cannot be opened.
	closed int
}

const (
	rpmPackages = "/var/lib/rpm/Packages" // a line for each package
	endOfBlock  = "-----END PGP PUBLIC KEY BLOCK-----\n"
	rpmKeys     = "/var/lib/rpm/Keys" // armored
)

func (h *fakeHost) installed(name string) bool {
	return slices.Contains(strings.Fields(h.content(rpmPackages)), name)
}

func (h *fakeHost) rpm(args []string) (stdout, stderr string, status int, err error) {
	if h.packages.closed > 0 {
		h.packages.closed--
		return "", "error: cannot open Packages database in /var/lib/rpm\n", 1, nil
	}
	switch {
	case args[0] == "-qa" && strings.Contains(args[2], "INSTALLTID"):
		for name := range strings.FieldsSeq(h.content(rpmPackages)) {
			stdout += fmt.Sprintf("%d\t%s\n", h.packages.transactions[name], name)
		}
	case args[0] == "-qa":
		stdout = h.everything()
	case args[0] == "-V" && args[1] == "--nofiles":
		stdout = h.unsatisfied(args)
	case args[0] == "-V":
		stdout = h.verify(args[len(args)-1])
	case args[0] == "-e":
		h.erase(args[1:])
	case args[0] == "-q" && args[3] == "gpg-pubkey":
		return h.listKeys()
	case args[0] == "-q":
		stdout, status = h.query(args[3:])
	case args[0] == "-ql":
		stdout = strings.Join([]string{labels.NginxProgram, "/etc/nginx", host.NginxConf, host.ConfDir,
			"/usr/lib/systemd/system/nginx.service", "/usr/share/doc/nginx-1.20.1"}, "\n") + "\n"
	case args[0] == "-qf":
		stdout, status = h.owner(args[3])
	case args[0] == "-qp":
		stdout = h.packageName(args[3]) + "\t(none)\t7\t14\tnoarch\n"
	case args[0] == "-K":
		stdout = args[2] + ":\n" + h.packages.signature
	case args[0] == "--import":
		h.write(rpmKeys, h.content(rpmKeys)+h.content(args[1]))
	default:
		h.t.Errorf("rpm %q is not known here", args)
	}
	return stdout, "", status, nil
}

// packageFile is an .rpm file, as far as anybody looks into it: its lead, no signatures, and a header that names it.
func packageFile(name string) string {
	var index, store []byte
	values := map[uint32]string{1000: name, 1001: "7", 1002: "14", 1022: "noarch"}
	for tag, value := range values {
		for _, n := range []uint32{tag, 6, uint32(len(store)), 1} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
		store = append(append(store, value...), 0)
	}
	const magic = "\x8e\xad\xe8\x01\x00\x00\x00\x00"
	header := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(values)))
	header = binary.BigEndian.AppendUint32(header, uint32(len(store)))
	lead := "\xed\xab\xee\xdb\x03\x00" + strings.Repeat("\x00", 90)
	return lead + magic + strings.Repeat("\x00", 8) + string(header) + string(index) + string(store)
}

func (h *fakeHost) packageName(path string) string {
	p, err := rpmdb.ReadPackage([]byte(h.content(strings.TrimPrefix(path, h.root))))
	if err != nil {
		h.t.Errorf("%s: %v", path, err)
	}
	return p.Name
}

// brings are the files of a package that a power cut may empty; an empty file is all that is ever wrong with one here.
func brings(name string) map[string]string {
	switch name {
	case packages.Nginx:
		return map[string]string{labels.NginxProgram: " ", host.NginxConf: "c",
			"/usr/lib/systemd/system/nginx.service": " "}
	case packages.EPELRelease:
		return map[string]string{"/etc/yum.repos.d/epel.repo": "c"}
	case packages.Semanage:
		return map[string]string{"/usr/sbin/semanage": " "}
	}
	return nil
}

func (h *fakeHost) verify(name string) (stdout string) {
	all := brings(name)
	for _, path := range sortedKeys(all) {
		switch attribute := all[path]; {
		case !h.exists(path):
			stdout += fmt.Sprintf("missing   %s %s\n", attribute, path)
		case h.content(path) == "":
			stdout += fmt.Sprintf("S.5......  %s %s\n", attribute, path)
		}
	}
	return stdout
}

// unsatisfied is what an installed nginx lacks; the order of options is the agent's own.
func (h *fakeHost) unsatisfied(args []string) string {
	if !slices.Contains(args, packages.Nginx) || h.installed(nginxFilesystem) {
		return ""
	}
	return "Unsatisfied dependencies for nginx-1:1.20.1-10.el7.x86_64:\n" +
		"\tnginx-filesystem is needed by (installed) nginx-1:1.20.1-10.el7.x86_64\n"
}

// everything is the inventory: each package's line, and each key with its text.
func (h *fakeHost) everything() string {
	out, _ := h.query(strings.Fields(h.content(rpmPackages)))
	return out + h.importedKeys()
}

func (h *fakeHost) importedKeys() (out string) {
	for block := range strings.SplitAfterSeq(h.content(rpmKeys), endOfBlock) {
		if block != "" {
			version, release, _ := strings.Cut(keyPackage(block), "-")
			out += fmt.Sprintf("gpg-pubkey\t(none)\t%s\t%s\t(none)\n(key)\n%s(end of key)\n", version, release, block)
		}
	}
	return out
}

func (h *fakeHost) query(names []string) (stdout string, status int) {
	for _, name := range names {
		if !h.installed(name) {
			stdout += fmt.Sprintf("package %s is not installed\n", name)
			status++
			continue
		}
		epoch := "(none)"
		if name == packages.Nginx {
			epoch = "1"
		}
		stdout += fmt.Sprintf("%s\t%s\t1.20.1\t10.el7\tx86_64\n", name, epoch)
	}
	return stdout, status
}

// owner: a package brought every key but those that the agent wrote.
func (h *fakeHost) owner(path string) (string, int) {
	if strings.HasPrefix(path, "/etc/pki/rpm-gpg/") && !strings.Contains(path, "wsprovision") {
		return "centos-release\n", 0
	}
	return "file " + path + " is not owned by any package\n", 1
}

// erase takes packages, or imported keys, away.
func (h *fakeHost) erase(names []string) {
	for _, name := range names {
		if strings.HasPrefix(name, "gpg-pubkey-") {
			h.forgetKey(name)
			continue
		}
		h.write(rpmPackages, strings.Replace(h.content(rpmPackages), name+"\n", "", 1))
		switch name {
		case packages.Nginx:
			h.must(os.RemoveAll(h.path("/usr/sbin/nginx")))
			h.must(os.RemoveAll(h.path("/usr/lib/systemd/system/nginx.service")))
		case packages.EPELRelease:
			h.must(os.RemoveAll(h.path("/etc/yum.repos.d/epel.repo")))
		}
	}
}

func (h *fakeHost) forgetKey(name string) {
	for block := range strings.SplitAfterSeq(h.content(rpmKeys), endOfBlock) {
		if block != "" && "gpg-pubkey-"+keyPackage(block) == name {
			h.write(rpmKeys, strings.Replace(h.content(rpmKeys), block, "", 1))
		}
	}
}

func (h *fakeHost) listKeys() (string, string, int, error) {
	if keys := h.importedKeys(); keys != "" {
		return keys, "", 0, nil
	}
	return "package gpg-pubkey is not installed\n", "", 1, nil
}

// yum installs what an enabled repository has, and lies about the rest as yum 3.4.3 does.
func (h *fakeHost) yum(args []string) (stdout, stderr string, status int, err error) {
	at := slices.IndexFunc(args, func(arg string) bool { return arg == "install" || arg == "reinstall" })
	if at < 0 {
		h.t.Errorf("yum %q is not known here", args)
		return "", "", 1, nil
	}
	names := args[at+1:]
	if h.packages.yum != nil {
		if stdout, stderr, status, handled := h.packages.yum(names); handled {
			return stdout, stderr, status, nil
		}
	}
	if args[at] == "reinstall" {
		return h.reinstall(names)
	}
	var bring []string
	for _, name := range names {
		if strings.HasSuffix(name, ".rpm") {
			bring = append(bring, h.packageName(name))
			continue
		}
		if repo := h.packages.available[name]; repo == "" || !h.offers(repo, args) {
			return fmt.Sprintf("No package %s available.\n", name),
				"Error: Not tolerating missing names on install, stopping.\n", 1, nil
		}
		bring = append(bring, name)
		h.importKeyOf(h.packages.available[name], dirsOf(args)...)
	}
	if slices.Contains(bring, packages.Nginx) && !h.installed(nginxFilesystem) {
		bring = append(bring, nginxFilesystem)
	}
	h.packages.transaction++
	for _, name := range bring {
		h.lay(name)
	}
	return "Complete!\n", "", 0, nil
}

func (h *fakeHost) reinstall(names []string) (stdout, stderr string, status int, err error) {
	for _, name := range names {
		if !h.hasRepository(h.packages.available[name]) {
			return "Installed package " + name + " not available.\n", "Error: Nothing to do\n", 1, nil
		}
	}
	for _, name := range names {
		h.importKeyOf(h.packages.available[name])
		h.layAnew(name)
	}
	return "Complete!\n", "", 0, nil
}

// layAnew is a reinstallation: rpm keeps a configuration file that is there, whatever is in it.
func (h *fakeHost) layAnew(name string) {
	kept := map[string]bool{}
	for path, attribute := range brings(name) {
		kept[path] = attribute == "c" && h.exists(path)
	}
	before := h.content(rpmPackages)
	h.install(name)
	h.write(rpmPackages, before)
	for path, keep := range kept {
		if keep {
			h.write(path, "")
		}
	}
}

func (h *fakeHost) hasRepository(id string) bool { return h.repository(id) != "" }

// offers reports whether yum, run with these arguments, has the repository.
func (h *fakeHost) offers(id string, args []string) bool {
	section := h.repository(id, dirsOf(args)...)
	enabled := !strings.Contains(section, "enabled=0") || slices.Contains(args, "--enablerepo="+id)
	return section != "" && enabled && !slices.Contains(args, "--disablerepo="+id)
}

// dirsOf are the directories of repositories that yum is given.
func dirsOf(args []string) []string {
	for _, arg := range args {
		if dirs, ok := strings.CutPrefix(arg, "--setopt=reposdir="); ok {
			return strings.Split(dirs, ",")
		}
	}
	return nil
}

// repository is what the repository's file says in its section; "" without one.
func (h *fakeHost) repository(id string, dirs ...string) string {
	if len(dirs) == 0 {
		dirs = []string{"/etc/yum.repos.d"}
	}
	for _, dir := range dirs {
		files, err := filepath.Glob(h.path(dir + "/*.repo"))
		h.must(err)
		for _, file := range files {
			if _, section, ok := strings.Cut(h.content(strings.TrimPrefix(file, h.root)), "["+id+"]\n"); ok {
				section, _, _ = strings.Cut(section, "\n[")
				return section
			}
		}
	}
	return ""
}

// importKeyOf is yum -y before the first package of a repository: it imports gpgkey and asks nobody.
func (h *fakeHost) importKeyOf(repository string, dirs ...string) {
	_, path, ok := strings.Cut(h.repository(repository, dirs...), "gpgkey=file://")
	if !ok {
		return
	}
	path, _, _ = strings.Cut(path, "\n")
	if key := h.content(path); !strings.Contains(h.content(rpmKeys), key) {
		h.write(rpmKeys, h.content(rpmKeys)+key)
	}
}

// nginxFilesystem is what yum brings beside nginx.
const nginxFilesystem = "nginx-filesystem"

// install is an administrator's transaction.
func (h *fakeHost) install(name string) {
	h.packages.transaction++
	h.lay(name)
}

// lay lays down a package's files and notes it in the database.
func (h *fakeHost) lay(name string) {
	switch name {
	case packages.EPELRelease:
		h.write("/etc/yum.repos.d/epel.repo", "[epel]\nname=Extra Packages for Enterprise Linux "+
			"7\nmetalink=https://mirrors.example.org/metalink\nenabled=1\ngpgcheck=1\ngpgkey=file:///etc/pki/"+
			"rpm-gpg/RPM-GPG-KEY-EPEL-7\n")
		h.write("/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-7", h.signingKey(8))
		h.packages.available[packages.Nginx] = "epel"
	case packages.Semanage:
		h.write("/usr/sbin/semanage", "#!/usr/bin/python -Es\n")
	case packages.Nginx:
		h.layNginx()
	case nginxFilesystem, "tmux":
	default:
		h.t.Errorf("package %q has no files here", name)
	}
	h.write(rpmPackages, h.content(rpmPackages)+name+"\n")
	if h.packages.transactions == nil {
		h.packages.transactions = map[string]int64{}
	}
	h.packages.transactions[name] = time.Now().Unix() + h.packages.transaction
}

// keyPackage is version and release of the gpg-pubkey package of an armored key.
func keyPackage(armored string) string {
	keys, err := openpgp.ParseKeys([]byte(armored))
	if err != nil || len(keys) != 1 {
		return "352c64e5-52ae6884"
	}
	f := keys[0].Fingerprint
	return strings.ToLower(f[len(f)-8:]) + "-52ae6884"
}
