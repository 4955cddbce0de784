package proxy

import (
	"context"
	"fmt"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/plaintext"
)

// ShutdownPath is where worker_shutdown_timeout goes. It belongs to nginx's
// main context, which conf.d is not in; EPEL's nginx.conf includes this
// directory there.
const ShutdownPath = "/usr/share/nginx/modules/wsprovision.conf"

// header is the first line of the small files.
const header = "# managed by wsprovision: change its configuration, not this file; see on_drift in wsprovision(8)"

func shutdownFile(d time.Duration) []byte {
	return fmt.Appendf(nil, "%s\nworker_shutdown_timeout %dms;\n", header, d.Milliseconds())
}

// checkShutdown says what the time-out will cut, and refuses it where nginx
// would never read it.
func (v *Candidate) checkShutdown(ctx context.Context, f *engine.Finding, tree conf.Tree) error {
	v.sayCut(ctx, f)
	d := v.Config.ShutdownTimeout
	if d == 0 {
		return nil
	}
	if !tree.Included(ShutdownPath) {
		return fmt.Errorf("worker_shutdown_timeout: %s does not include /usr/share/nginx/modules/*.conf: add the "+
			"include before events, or set the directive there yourself and leave it out here", host.NginxConf)
	}
	f.Notes = append(f.Notes, fmt.Sprintf("worker_shutdown_timeout: after every later reload, connections that are "+
		"still open on old workers are cut after %s, WebSockets too", plaintext.Duration(d)))
	return nil
}

// sayCut says what the reload that is due will cut. A worker keeps to the
// configuration that it was started with (ngx_set_shutdown_timer), so that it
// is the present one that counts, whoever set it. Where systemd cannot be
// asked, the service step fails and nothing is reloaded.
func (v *Candidate) sayCut(ctx context.Context, f *engine.Finding) {
	if v.Where.Offline() {
		return
	}
	if s, err := v.Unit.State(ctx); err != nil || !s.Running() {
		return
	}
	now, _ := v.Survey.Tree(nil) // what cannot be read is said where the new one is read
	for _, d := range now.Directives() {
		if d.Name == "worker_shutdown_timeout" && len(d.Args) == 1 {
			f.Notes = append(f.Notes, fmt.Sprintf("connections that are still open on the present workers are cut "+
				"after %s, WebSockets too: worker_shutdown_timeout in %s:%d",
				span(d.Args[0]), d.File, d.Line))
		}
	}
}

// span is nginx's way of writing a time in words, where Go knows it.
func span(text string) string {
	if d, err := time.ParseDuration(text); err == nil {
		return plaintext.Duration(d)
	}
	return text
}
