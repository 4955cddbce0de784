package host

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// OSRelease is what os-release(5) says of the host.
type OSRelease struct {
	ID, VersionID, PrettyName string
	IDLike                    []string
}

// ReadOSRelease reads /etc/os-release under root, or /usr/lib/os-release where
// that is missing.
func ReadOSRelease(root string) (OSRelease, error) {
	text, err := os.ReadFile(root + "/etc/os-release")
	if os.IsNotExist(err) {
		text, err = os.ReadFile(root + "/usr/lib/os-release")
	}
	if err != nil {
		return OSRelease{}, fmt.Errorf("read which system this is: %w", err)
	}
	return parseOSRelease(string(text)), nil
}

// parseOSRelease reads shell-like assignments as os-release(5) allows them:
// bare or quoted values, backslash escapes inside double quotes, comments.
func parseOSRelease(text string) OSRelease {
	var r OSRelease
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		value = unquote(value)
		switch key {
		case "ID":
			r.ID = value
		case "VERSION_ID":
			r.VersionID = value
		case "PRETTY_NAME":
			r.PrettyName = value
		case "ID_LIKE":
			r.IDLike = strings.Fields(value)
		}
	}
	return r
}

func unquote(v string) string {
	if len(v) >= 2 && v[0] == '\'' && v[len(v)-1] == '\'' {
		return v[1 : len(v)-1]
	}
	if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		v = v[1 : len(v)-1]
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) {
			i++
		}
		b.WriteByte(v[i])
	}
	return b.String()
}

// rebuilds are the IDs of what is built from RHEL 7's sources: CentOS,
// Scientific Linux, Oracle Linux, Springdale, Virtuozzo, ClearOS, EuroLinux.
var rebuilds = []string{"rhel", "centos", "scientific", "ol", "springdale", "virtuozzo", "clearos", "eurolinux"}

// Supported reports whether this is RHEL 7 or a rebuild of it. Amazon Linux 2
// and Fedora say "rhel" only in ID_LIKE and are not.
func (r OSRelease) Supported() bool {
	major, _, _ := strings.Cut(r.VersionID, ".")
	return major == "7" && slices.Contains(rebuilds, r.ID)
}

// String names the system as a person would.
func (r OSRelease) String() string {
	if r.PrettyName != "" {
		return r.PrettyName
	}
	return strings.TrimSpace(r.ID + " " + r.VersionID)
}
