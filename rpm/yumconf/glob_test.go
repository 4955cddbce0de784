package yumconf

import "testing"

// TestExcludeMeans's globs are Python 2.7's fnmatch, in any case of letters; what is no glob is a name with or without
// architecture and version.
func TestExcludeMeans(t *testing.T) {
	for pattern, want := range map[string]bool{
		"nginx": true, "NginX": true, "ngin?": true, "n*x": true, "*": true, "nginx*": true, "nginx-*": true,
		"*.x86_64": true, "nginx.x86_64": true,
		"nginx.noarch": true, "nginx.i686": false, "nginx-1.20.1": true, "nginx-1.20.1-10.el7.x86_64": true,
		"1:nginx-1.20.1-10.el7.x86_64": true,
		"nginx-1:1.20.1-10.el7.x86_64": true, "nginx-1.1*": true, "[mn]ginx": true, "[!m]ginx": true,
		"[!n]ginx": false, "[^n]ginx": true, "[a-z]ginx": true,
		"ngin[]x]": true, "nginx[": false, "[nginx": false, "nginx-filesystem": false, "nginx-mod-*": false,
		"nginx?": false, "all": false, "ngin": false,
		"[z-a]ginx": false, "*nginx": true, "nginx.*": true, "*-filesystem": false, "nginx\\*": false,
		"[[:alpha:]]ginx": false, "": false,
	} {
		if got := (listItem{pattern: pattern}).hides("nginx"); got != want {
			t.Errorf("exclude=%s hides nginx: %t, want %t", pattern, got, want)
		}
	}
}

func FuzzGlob(f *testing.F) {
	for _, pattern := range []string{"nginx*", "[!a-c]", "[]", "[", "[]]", "[z-a]", `\`, "[a&&b]", "[[:x:]]"} {
		f.Add(pattern, "nginx")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) { globMatches(pattern, name) })
}
