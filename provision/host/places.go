package host

import (
	"fmt"
	"os"
	"path"

	"wsprovision/provision/known"
	"wsprovision/provision/nginx/conf"
)

// Where nginx is found on RHEL 7, and the agent's files in it.
const (
	NginxUnit = "nginx.service"
	ConfDir   = "/etc/nginx/conf.d"
	// NamesFile is where NamesBucket goes. nginx takes it once in http, so that no site's own file is the place; no
	// site is named _wsprovision.
	NamesFile   = "_wsprovision.conf"
	NamesBucket = "server_names_hash_bucket_size"
)

// folder is the one of the sites, by what nginx.conf was then.
type folder struct {
	stamp, dir string
	found      bool
}

// SitesDir is where the files of sites go: conf.d, or, where nginx.conf does not include that in http, the first folder
// that it does include there. It is looked for again where nginx.conf has changed, as when nginx was installed.
func (h *Host) SitesDir() string { return h.lookForSites().dir }

// SitesAreRead: nginx.conf includes a folder for sites, as far as it can be read.
func (h *Host) SitesAreRead() bool { return h.lookForSites().found }

// confReader is the key of ConfReader.
type confReader struct{}

// ConfReader remembers nginx's configuration while nothing changes.
func ConfReader(h *Host) *conf.Reader {
	return known.Once(h.Known, confReader{}, func() *conf.Reader { return &conf.Reader{} })
}

func (h *Host) lookForSites() folder {
	stamp := ""
	if info, err := os.Stat(h.Root + NginxConf); err == nil {
		stamp = fmt.Sprint(info.Size(), info.ModTime().UnixNano())
	}
	if h.sites.dir == "" || h.sites.stamp != stamp {
		dir, found := ConfReader(h).Folder(h.Root, NginxConf, ConfDir, "websocket.conf", NamesFile)
		h.sites = folder{stamp, dir, found}
	}
	return h.sites
}

// SitePath is the file of the named site.
func (h *Host) SitePath(name string) string { return path.Join(h.SitesDir(), name+".conf") }

// NamesPath is the file with the sizes for names.
func (h *Host) NamesPath() string { return path.Join(h.SitesDir(), NamesFile) }
