package support

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/hostfile"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/secret"
)

func (g *Gatherer) nginxQuestions() []question {
	return []question{
		{"nginx/nginx-V", "how nginx was built", func(ctx context.Context) (string, error) {
			return g.program(ctx, g.Nginx.Program, "-V")
		}},
		{"nginx/nginx-t", "what nginx -t says", g.test},
		{"nginx/nginx-T", "every file that nginx reads, as nginx -T prints them, without comments", g.dump},
	}
}

// test is nginx -t, which leaves nothing on the host.
func (g *Gatherer) test(ctx context.Context) (string, error) {
	problems, err := g.Nginx.Test(ctx, nil)
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.String() + "\n")
	}
	if err == nil && len(problems) == 0 {
		b.WriteString("nginx -t has no complaint\n")
	}
	return secret.Scrub(b.String()), err
}

// mostFiles bounds how many files of nginx's are taken.
const mostFiles = 2000

// dump is what nginx -T prints. It is read here and not by nginx, which prints nothing of a configuration with a
// mistake, and leaves a pid file: what lies where EPEL's nginx.conf looks is taken too.
func (g *Gatherer) dump(ctx context.Context) (string, error) {
	tree, err := conf.Load(g.Root, host.NginxConf, nil)
	var b strings.Builder
	for _, path := range g.nginxFiles(tree) {
		content, failed := hostfile.ReadLinked(ctx, g.Root+path, mostPart)
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		b.WriteString(secret.Nginx(fmt.Sprintf("# configuration file %s:\n%s", path,
			strings.ToValidUTF8(string(content), "\ufffd"))))
		if b.Len() > mostPart {
			return b.String(), errors.Join(err, errors.New("there is more"))
		}
	}
	return b.String(), err
}

func (g *Gatherer) nginxFiles(tree conf.Tree) []string {
	var all []string
	for _, f := range tree.Files() {
		all = append(all, f.Path)
	}
	for _, pattern := range []string{host.NginxConf, host.ConfDir + "/*.conf", "/etc/nginx/default.d/*.conf",
		"/usr/share/nginx/modules/*.conf"} {
		found, _ := filepath.Glob(g.Root + pattern)
		for _, path := range found {
			all = append(all, strings.TrimPrefix(path, g.Root))
		}
	}
	var once []string
	for _, path := range all[:min(len(all), mostFiles)] {
		if !slices.Contains(once, path) && isThere(g.Root+path) {
			once = append(once, path)
		}
	}
	return once
}
