package provision

import (
	"fmt"
	"time"

	"wsprovision/provision/nginx"
)

// shutdownPath is where worker_shutdown_timeout goes. It belongs to nginx's
// main context, which conf.d is not in; EPEL's nginx.conf includes this
// directory there.
const shutdownPath = "/usr/share/nginx/modules/wsprovision.conf"

func shutdownFile(d time.Duration) []byte {
	return fmt.Appendf(nil, "# managed by wsprovision; what is changed here by hand is overwritten\nworker_shutdown_timeout %dms;\n", d.Milliseconds())
}

// checkShutdown says what the time-out will cut, and refuses it where nginx
// would never read it.
func (r *Run) checkShutdown(f *Finding, tree nginx.Tree) error {
	d := r.Config.WorkerShutdownTimeout
	if d == 0 {
		return nil
	}
	if !tree.Included(shutdownPath) {
		return fmt.Errorf("worker_shutdown_timeout: %s does not include /usr/share/nginx/modules/*.conf: add the include before events, or set the directive there yourself and leave it out here", nginxConf)
	}
	f.Notes = append(f.Notes, fmt.Sprintf("worker_shutdown_timeout: after every reload, connections that are still open on old workers are cut after %s, WebSockets too", d))
	return nil
}
