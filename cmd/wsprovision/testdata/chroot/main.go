// Stands in a bare chroot for every program that the agent runs there; it is told by the name under which it is called.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	database = "/var/lib/rpm/names"
	store    = "/etc/selinux/targeted/active"
	nginx    = "/usr/sbin/nginx"
)

func main() {
	name := filepath.Base(os.Args[0])
	program, ok := map[string]func([]string) int{"rpm": rpm, "yum": yum, "semanage": semanage, "systemctl": systemctl,
		"nginx": nginxTest}[name]
	if !ok {
		fatal("no such program: %s", name)
	}
	os.Exit(program(os.Args[1:]))
}

func fatal(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func must(err error) {
	if err != nil {
		fatal("%v", err)
	}
}

func installed() []string {
	text, _ := os.ReadFile(database)
	return strings.Fields(string(text))
}

func has(name string) bool {
	return strings.Contains(" "+strings.Join(installed(), " ")+" ", " "+name+" ")
}

func rpm(args []string) int {
	switch {
	case args[0] == "-qa":
		for _, name := range installed() {
			fmt.Printf("%s\t(none)\t219\t1.el7\tx86_64\n", name)
		}
	case args[0] == "-ql":
		fmt.Println(nginx + "\n/etc/nginx\n/etc/nginx/nginx.conf")
	case args[0] == "-q" && args[3] == "gpg-pubkey":
		fmt.Println("package gpg-pubkey is not installed")
		return 1
	case args[0] == "-q":
		for _, name := range args[3:] {
			if has(name) {
				fmt.Printf("%s\t(none)\t219\t1.el7\tx86_64\n", name)
			} else {
				fmt.Printf("package %s is not installed\n", name)
			}
		}
	case args[0] == "-qf":
		fmt.Println("centos-release")
	default:
		fatal("rpm %q", args)
	}
	return 0
}

func yum(args []string) int {
	names := []string{}
	for _, a := range args {
		if !strings.HasPrefix(a, "-") && a != "install" {
			names = append(names, a)
		}
	}
	if _, err := os.Stat("/nopackage"); err == nil { // as yum 3.4.3 has it, whose exit status says nothing
		fmt.Println("No package nginx available.")
		names = slices.DeleteFunc(names, func(name string) bool { return name == "nginx" })
	}
	for _, name := range names {
		switch name {
		case "epel-release":
			write("/etc/yum.repos.d/epel.repo",
				"[epel]\nname=EPEL\nbaseurl=http://mirror.example.com/epel\nenabled=1\ngpgcheck=1\n")
		case "nginx":
			write("/etc/nginx/nginx.conf", "events {}\nhttp {\n  include /etc/nginx/conf.d/*.conf;\n}\n")
			must(os.MkdirAll("/etc/nginx/conf.d", 0o755))
			must(os.MkdirAll("/var/log/nginx", 0o755))
			must(os.Link("/usr/bin/rpm", nginx))
			write("/usr/lib/systemd/system/nginx.service",
				"[Service]\nExecStart=/usr/sbin/nginx\n[Install]\nWantedBy=multi-user.target\n")
		case "policycoreutils-python":
			must(os.Link("/usr/bin/rpm", "/usr/sbin/semanage"))
		}
	}
	write(database, strings.Join(append(installed(), names...), "\n")+"\n")
	return 0
}

// semanage is 2.5's: -N on the last line of the input decides.
func semanage(args []string) int {
	if args[0] != "import" {
		fatal("semanage %q", args)
	}
	var st unix.Statfs_t
	if unix.Statfs("/sys/fs/selinux", &st) == nil && uint32(st.Type) == unix.SELINUX_MAGIC {
		fatal("selinuxfs is visible")
	}
	input, err := io.ReadAll(os.Stdin)
	must(err)
	for line := range strings.Lines(string(input)) {
		f := strings.Fields(line)
		if !strings.Contains(line, " -N ") {
			fatal("without -N: %q", line)
		}
		if f[0] == "boolean" {
			write(store+"/booleans.local", f[len(f)-1]+"=1\n")
		} else {
			write(store+"/ports.local", fmt.Sprintf("portcon tcp %s system_u:object_r:http_port_t:s0\n", f[len(f)-1]))
		}
	}
	return 0
}

func systemctl(args []string) int {
	if len(args) != 3 || args[0] != "--root=/" || args[1] != "enable" {
		fatal("systemctl %q", args)
	}
	wants := "/etc/systemd/system/multi-user.target.wants"
	must(os.MkdirAll(wants, 0o755))
	if err := os.Symlink("/usr/lib/systemd/system/"+args[2], wants+"/"+args[2]); !os.IsExist(err) {
		must(err)
	}
	return 0
}

// nginxTest leaves behind what nginx -t leaves behind.
func nginxTest(args []string) int {
	if args[0] == "-V" {
		fmt.Fprintln(os.Stderr, "nginx version: nginx/1.20.1\nconfigure arguments: --prefix=/usr/share/nginx "+
			"--pid-path=/run/nginx.pid --error-log-path=/var/log/nginx/error.log "+
			"--http-log-path=/var/log/nginx/access.log")
		return 0
	}
	write("/run/nginx.pid", "")
	write("/var/log/nginx/error.log", "")
	_, candidate := os.Stat("/etc/nginx/conf.d/websocket.conf")
	if _, err := os.Stat("/reverting"); candidate != nil && err != nil {
		fatal("nginx: [emerg] the candidate is not there: %v", candidate)
	}
	if _, err := os.Stat("/unresolved"); err == nil {
		fmt.Fprintln(os.Stderr, "nginx: [emerg] host not found in upstream \"backend.example.com:3000\" in "+
			"/etc/nginx/conf.d/websocket.conf:9\nnginx: configuration file /etc/nginx/nginx.conf test failed")
		return 1
	}
	fmt.Fprintln(os.Stderr, "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration "+
		"file /etc/nginx/nginx.conf test is successful")
	return 0
}

func write(name, text string) {
	must(os.MkdirAll(filepath.Dir(name), 0o755))
	must(os.WriteFile(name, []byte(text), 0o644))
}
