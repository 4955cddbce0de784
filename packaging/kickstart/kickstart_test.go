// Package kickstart holds samples of how the agent is called where hosts are installed; its tests keep the samples
// usable.
package kickstart

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// commands are those of RHEL 7.0's kickstart syntax that the sample uses (its Installation Guide, "Kickstart Syntax
// Reference"), each with the options that it knows. sshkey is none of them.
var commands = map[string][]string{
	"text": nil, "zerombr": nil, "reboot": {"--eject"},
	"url": {"--url", "--mirrorlist", "--proxy", "--noverifyssl"},
	"repo": {"--name", "--baseurl", "--mirrorlist", "--cost", "--excludepkgs", "--includepkgs", "--proxy",
		"--ignoregroups", "--noverifyssl", "--install"},
	"lang":       {"--addsupport"},
	"keyboard":   {"--vckeymap", "--xlayouts"},
	"timezone":   {"--utc", "--nontp", "--ntpservers"},
	"network":    {"--bootproto", "--device", "--hostname", "--activate", "--onboot"},
	"firewall":   {"--enabled", "--disabled", "--ssh", "--service", "--port"},
	"selinux":    {"--enforcing", "--permissive", "--disabled"},
	"authconfig": {"--enableshadow", "--passalgo"},
	"rootpw":     {"--iscrypted", "--plaintext", "--lock"},
	"clearpart":  {"--all", "--initlabel", "--drives", "--none", "--linux"},
	"bootloader": {"--location", "--append", "--boot-drive", "--timeout"},
	"autopart":   {"--type", "--encrypted"},
}

// section is a %part of a kickstart file.
type section struct {
	head string
	body []string
}

func parse(t *testing.T, text string) (plain []string, sections []section) {
	t.Helper()
	open := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "%end":
			if !open {
				t.Error("an end without a section")
			}
			open = false
		case strings.HasPrefix(line, "%"):
			if open {
				t.Errorf("%s inside a section: %%end is missing", line)
			}
			open = true
			sections = append(sections, section{head: line})
		case open:
			last := &sections[len(sections)-1]
			last.body = append(last.body, line)
		case line != "" && line[0] != '#':
			plain = append(plain, line)
		}
	}
	if open {
		t.Error("the last section has no end")
	}
	return plain, sections
}

// TestKickstartFile holds the sample against the list of commands above, and has pykickstart's judgement of it where
// that is there. Debian 12 has no pykickstart: only this part may be skipped under CI.
func TestKickstartFile(t *testing.T) {
	t.Run("ksvalidator", func(t *testing.T) {
		validator, err := exec.LookPath("ksvalidator")
		if err != nil {
			t.Skip("ksvalidator was not run, it is not here: the commands of ks.cfg are held against this test's " +
				"own list")
		}
		if out, err := exec.Command(validator, "-v", "RHEL7", "ks.cfg").CombinedOutput(); err != nil {
			t.Errorf("ksvalidator: %v\n%s", err, out)
		}
	})
	plain, sections := parse(t, read(t, "ks.cfg"))
	for _, line := range plain {
		words := strings.Fields(line)
		options, known := commands[words[0]]
		if !known {
			t.Errorf("%q: no command of RHEL 7's", line)
		}
		for _, w := range words[1:] {
			if name, _, _ := strings.Cut(w, "="); strings.HasPrefix(w, "--") && !slices.Contains(options, name) {
				t.Errorf("%q: no option %s", line, name)
			}
		}
	}
	heads := []string{}
	for _, s := range sections {
		heads = append(heads, s.head)
		if strings.HasPrefix(s.head, "%post") {
			shell(t, strings.Join(s.body, "\n"))
		}
		if strings.HasPrefix(s.head, "%post --erroronfail") {
			agent(t, strings.Join(s.body, "\n"))
		}
	}
	if want := []string{"%packages", "%post",
		"%post --erroronfail --log=/var/log/wsprovision-install.log"}; !slices.Equal(heads, want) {
		t.Errorf("sections %q, want %q", heads, want)
	}
}

// What waits for the first boot waits as long as the first boot tries.
func TestWaitsAreTheFirstBootsPatience(t *testing.T) {
	patience := regexp.MustCompile(`first-boot --live --patience (\S+)`).FindStringSubmatch(read(t,
		"../wsprovision-firstboot.service"))
	if patience == nil {
		t.Fatal("the unit says no patience")
	}
	for _, name := range []string{"ks.cfg", "wsprovision_post.erb", "cloud-init.yaml", "../../README.md"} {
		for _, m := range regexp.MustCompile(`status --wait (\w+)`).FindAllStringSubmatch(read(t, name), -1) {
			if m[1] != patience[1] {
				t.Errorf("%s: %s, want %s", name, m[0], patience[1])
			}
		}
	}
}

// TestAuthorizedKeys runs the %post that writes the administrator's key: sshd wants both closed to others.
func TestAuthorizedKeys(t *testing.T) {
	_, sections := parse(t, read(t, "ks.cfg"))
	i := slices.IndexFunc(sections, func(s section) bool { return s.head == "%post" })
	if i < 0 {
		t.Fatal("no plain post section writes the key")
	}
	root := t.TempDir()
	cmd := exec.Command("sh", "-e")
	cmd.Stdin = strings.NewReader("umask 0000\n" + strings.ReplaceAll(strings.Join(sections[i].body, "\n"), "/root",
		root))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, want := range map[string]os.FileMode{"/.ssh": 0o700, "/.ssh/authorized_keys": 0o600} {
		if fi, err := os.Stat(root + name); err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want mode %04o", name, fi, err, want)
		}
	}
}

// shell checks syntax only.
func shell(t *testing.T, script string) {
	t.Helper()
	cmd := exec.Command("sh", "-n")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("sh -n: %v\n%s\n%s", err, out, script)
	}
}

var flag = regexp.MustCompile(`--[a-z-]+`)

// agent checks the agent's flags by what it says of itself.
func agent(t *testing.T, script string) {
	t.Helper()
	cmd := exec.Command("go", "run", "../../cmd/wsprovision", "apply", "--help")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	help, err := cmd.Output()
	if err != nil {
		t.Fatalf("wsprovision apply --help: %v", err)
	}
	known := flag.FindAllString(string(help), -1)
	_, call, ok := strings.Cut(strings.ReplaceAll(script, "\\\n", " "), "wsprovision apply")
	if !ok {
		t.Fatalf("no call of the agent in\n%s", script)
	}
	call, _, _ = strings.Cut(call, "\n")
	for _, f := range flag.FindAllString(call, -1) {
		if !slices.Contains(known, f) {
			t.Errorf("wsprovision apply has no %s", f)
		}
	}
}

var (
	tag     = regexp.MustCompile(`(?s)<%(.*?)%>`)
	control = regexp.MustCompile(`^\s*(if|end)\b`)
)

// The snippet is read as ERB reads it: every tag closed, every "if" ended, and what is left is a script.
func TestForemanSnippet(t *testing.T) {
	text := read(t, "wsprovision_post.erb")
	if strings.Count(text, "<%") != strings.Count(text, "%>") {
		t.Error("a tag is not closed")
	}
	depth := 0
	script := tag.ReplaceAllStringFunc(text, func(s string) string {
		code := strings.TrimSuffix(strings.TrimPrefix(s, "<%"), "%>")
		if strings.HasPrefix(code, "=") {
			return "value"
		}
		switch m := control.FindStringSubmatch(code); {
		case m != nil && m[1] == "if":
			depth++
		case m != nil:
			depth--
		}
		return ""
	})
	if depth != 0 {
		t.Errorf("%d conditions are not ended", depth)
	}
	shell(t, script)
	agent(t, script)
}

func TestCloudInit(t *testing.T) {
	text := read(t, "cloud-init.yaml")
	if !strings.HasPrefix(text, "#cloud-config\n") {
		t.Error("cloud-init wants #cloud-config on the first line")
	}
	var c struct {
		Files []struct{ Path, Content string } `yaml:"write_files"`
		Run   [][]string                       `yaml:"runcmd"`
	}
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Files) != 1 || c.Files[0].Path != "/etc/wsprovision/wsprovision.yaml" {
		t.Fatalf("files: %+v", c.Files)
	}
	file := t.TempDir() + "/wsprovision.yaml"
	if err := os.WriteFile(file, []byte(c.Files[0].Content), 0o600); err != nil {
		t.Fatal(err)
	}
	// 78 would be a wrong configuration; what else a plan says is this machine's affair.
	cmd := exec.Command("go", "run", "../../cmd/wsprovision", "plan", "--offline", "--config", file)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, _ := cmd.CombinedOutput(); strings.Contains(string(out), "exit status 78") ||
		strings.Contains(string(out), file) {
		t.Errorf("the configuration is refused:\n%s", out)
	}
	if len(c.Run) != 1 || strings.Join(c.Run[0][:2], " ") != "wsprovision apply" {
		t.Errorf("runcmd: %q", c.Run)
	}
	agent(t, strings.Join(c.Run[0], " "))
}

// The unit uses only what systemd 219 has (its systemd.unit, systemd.service, systemd.exec and systemd.kill manual
// pages), and is confined as far as its work allows. What the work forbids stands in the unit with the reason.
func TestUnitIsOldAndConfined(t *testing.T) {
	known := strings.Fields(`Description Documentation ConditionPathExists Wants After Type ExecStart ` +
		`TimeoutStartSec TimeoutStopSec KillMode PrivateTmp
		PrivateDevices ProtectHome ReadOnlyDirectories RestrictAddressFamilies CapabilityBoundingSet WantedBy`)
	confined := map[string]string{
		"PrivateTmp": "yes", "PrivateDevices": "yes", "ProtectHome": "read-only", "ReadOnlyDirectories": "-/home",
		"RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
		"CapabilityBoundingSet":   "~CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_BOOT CAP_SYS_TIME CAP_SYS_PACCT",
	}
	for line := range strings.Lines(read(t, "../wsprovision-firstboot.service")) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || line[0] == '#' {
			continue
		}
		if !slices.Contains(known, key) {
			t.Errorf("%s= is not known to systemd 219, or not known to this test to be", key)
		}
		if want, pinned := confined[key]; pinned && value != want {
			t.Errorf("%s=%s, want %s", key, value, want)
		}
		delete(confined, key)
	}
	if len(confined) > 0 {
		t.Errorf("the unit lacks %v", confined)
	}
}
