package nginx

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// build is what nginx was compiled to use where its configuration is silent.
type build struct {
	prefix, pid, errorLog, accessLog string
	temporary                        []string
}

// epel is the build of EPEL 7 and, but for the temporary paths, of nginx.org; Test asks the executable instead.
func epel() build {
	return build{prefix: "/usr/share/nginx", pid: "/run/nginx.pid", errorLog: "/var/log/nginx/error.log",
		accessLog: "/var/log/nginx/access.log"}
}

func (n Nginx) build(ctx context.Context) (build, error) {
	stderr, err := n.Describe(ctx)
	if err != nil {
		return build{}, err
	}
	return parseBuild(stderr)
}

// Describe is what nginx says of itself: nginx -V.
func (n Nginx) Describe(ctx context.Context) (string, error) {
	_, stderr, status, err := n.Read(ctx, "", n.program(), "-V")
	if err != nil {
		return "", fmt.Errorf("how nginx was built: %w", err)
	}
	if status != 0 {
		return "", fmt.Errorf("how nginx was built: %s -V: exit status %d: %s", n.program(), status, lastLine(stderr))
	}
	return stderr, nil
}

var buildOption = regexp.MustCompile(`--([a-z-]+)=('[^']*'|\S+)`)

// parseBuild reads `nginx -V`. What configure was not told has the defaults of nginx's auto/options.
func parseBuild(text string) (build, error) {
	_, arguments, ok := strings.Cut(text, "configure arguments:")
	if !ok {
		return build{}, fmt.Errorf("how nginx was built: no configure arguments in %q", lastLine(text))
	}
	option := map[string]string{}
	for _, o := range buildOption.FindAllStringSubmatch(arguments, -1) {
		option[o[1]] = strings.Trim(o[2], "'")
	}
	b := build{prefix: either(option["prefix"], "/usr/local/nginx")}
	b.pid = b.absolute(either(option["pid-path"], "logs/nginx.pid"))
	b.errorLog = either(option["error-log-path"], "logs/error.log")
	b.accessLog = either(option["http-log-path"], "logs/access.log")
	for _, kind := range []string{"client-body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		standard := strings.ReplaceAll(kind, "-", "_") + "_temp"
		b.temporary = append(b.temporary, b.absolute(either(option["http-"+kind+"-temp-path"], standard)))
	}
	return b, nil
}

// absolute is nginx's rule for logs, pid and temporary paths: relative to the prefix, not to the configuration.
func (b build) absolute(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join("/", b.prefix, name)
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
