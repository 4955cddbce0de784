package packages

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"strings"
	"syscall"

	"wsprovision/provision/host"
	"wsprovision/provision/secret"
)

// exposed warns of what others can do with the source of EPEL: read its
// credentials in the configuration file, or offer old packages.
func (rs Repositories) exposed() []string {
	var warnings []string
	if w := rs.exposedFile(); w != "" {
		warnings = append(warnings, w)
	}
	if strings.HasPrefix(strings.ToLower(rs.Config.EPEL.BaseURL), "http:") {
		warnings = append(warnings, "epel.baseurl is http, and the repository's metadata is not signed: whoever "+
			"stands between can offer old packages with known holes, signed as they are; serve it over https")
	}
	return warnings
}

// exposedFile warns of a configuration file that holds credentials and that
// others than root can read.
func (rs Repositories) exposedFile() string {
	file := rs.Config.Source
	if file == "" {
		return ""
	}
	fi, err := os.Stat(rs.Root + file)
	if err != nil || !fi.Mode().IsRegular() || fi.Size() > host.MaxFile {
		return ""
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if fi.Mode()&0o004 == 0 && (fi.Mode()&0o040 == 0 || ok && st.Gid == 0) {
		return ""
	}
	content, err := os.ReadFile(rs.Root + file)
	if err != nil {
		return ""
	}
	c := rs.Config
	for i, address := range []string{c.ReportURL, c.EPEL.BaseURL, c.EPEL.Package, c.EPEL.GPGKey, c.EPEL.Metalink,
		c.EPEL.MirrorList} {
		if held := credentials(address); held != "" && bytes.Contains(content, []byte(held)) {
			whose := "epel"
			if i == 0 {
				whose = "report_url"
			}
			return fmt.Sprintf("%s holds credentials of %s and can be read by others (mode %04o): chmod 600 %s",
				file, whose, fi.Mode().Perm(), file)
		}
	}
	return ""
}

// credentials are the part of a URL that nobody should see, as it is written there; "" for none.
func credentials(address string) string {
	u, err := url.Parse(address)
	if err != nil || !secret.In(address) {
		return ""
	}
	if u.User != nil {
		_, rest, _ := strings.Cut(address, "//")
		authority, _, _ := strings.Cut(rest, "/")
		return authority[:max(0, strings.LastIndexByte(authority, '@'))]
	}
	return u.RawQuery
}
