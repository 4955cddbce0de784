package nginx

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/provision/nginx/conf"
)

func (n Nginx) build(ctx context.Context) (conf.Build, error) {
	stderr, err := n.Describe(ctx)
	if err != nil {
		return conf.Build{}, err
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

var buildOption = lazy.Regexp(`--([a-z-]+)=('[^']*'|\S+)`)

// parseBuild reads `nginx -V`. What configure was not told has the defaults of nginx's auto/options.
func parseBuild(text string) (conf.Build, error) {
	_, arguments, ok := strings.Cut(text, "configure arguments:")
	if !ok {
		return conf.Build{}, fmt.Errorf("how nginx was built: no configure arguments in %q", lastLine(text))
	}
	option := map[string]string{}
	for _, o := range buildOption().FindAllStringSubmatch(arguments, -1) {
		option[o[1]] = strings.Trim(o[2], "'")
	}
	b := conf.Build{Prefix: cmp.Or(option["prefix"], "/usr/local/nginx")}
	b.PID = b.Absolute(cmp.Or(option["pid-path"], "logs/nginx.pid"))
	b.ErrorLog = cmp.Or(option["error-log-path"], "logs/error.log")
	b.AccessLog = cmp.Or(option["http-log-path"], "logs/access.log")
	for _, kind := range []string{"client-body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		standard := strings.ReplaceAll(kind, "-", "_") + "_temp"
		b.Temporary = append(b.Temporary, b.Absolute(cmp.Or(option["http-"+kind+"-temp-path"], standard)))
	}
	return b, nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
