package provision

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/nginx/nginxtest"

	"pgregory.net/rapid"
)

// TestWhatIsAcceptedIsRendered: the configuration is refused beforehand (78), or nginx's own gate takes it. Values lie
// on both sides of what is accepted, lengths at their limits.
func TestWhatIsAcceptedIsRendered(t *testing.T) {
	accepted, drawn := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		drawn++
		c, err := config.Load(drawInput(t))
		if err != nil {
			return
		}
		accepted++
		for _, s := range c.Sites {
			if _, err := nginxtest.Alone(s); err != nil {
				t.Fatalf("accepted, and not rendered: %+v: %v", s, err)
			}
		}
	})
	if accepted*20 < drawn { // -short draws fewer
		t.Errorf("only %d of %d configurations were accepted: the property says nothing", accepted, drawn)
	}
}

func drawInput(t *rapid.T) config.Input {
	if rapid.Bool().Draw(t, "flags") {
		return config.Input{Flags: map[string]string{
			"server-name": strings.Join(rapid.SliceOfN(someServerName, 1, 2).Draw(t, "names"), ","),
			"listen":      strings.Join(rapid.SliceOfN(someListen, 1, 2).Draw(t, "listen"), ","),
			"path":        somePath.Draw(t, "path"), "backend": someBackend.Draw(t, "backend"),
		}}
	}
	content := "sites:\n"
	for range rapid.IntRange(1, 2).Draw(t, "sites") {
		content += drawSite(t)
	}
	return config.Input{File: "/c.yaml", ReadFile: func(string) ([]byte, error) { return []byte(content), nil }}
}

func drawSite(t *rapid.T) string {
	site := fmt.Sprintf("  - name: %q\n    server_name: %s\n    listen: %s\n", someSiteName.Draw(t, "name"),
		quotedList(rapid.SliceOfN(someServerName, 1, 2).Draw(t, "names")),
		quotedList(rapid.SliceOfN(someListen, 1, 2).Draw(t, "listen")))
	if rapid.Bool().Draw(t, "tls") {
		site += fmt.Sprintf("    tls: {certificate: %q, key: %q}\n", someFile.Draw(t, "certificate"),
			someFile.Draw(t, "key"))
	}
	site += "    locations:\n"
	for range rapid.IntRange(1, 2).Draw(t, "locations") {
		site += fmt.Sprintf("      - {path: %q, backend: %q, websocket: %v, read_timeout: %s, connect_timeout: %s}\n",
			somePath.Draw(t, "path"),
			someBackend.Draw(t, "backend"), rapid.Bool().Draw(t, "websocket"), someTimeout.Draw(t, "read"),
			someTimeout.Draw(t, "connect"))
	}
	return site
}

func quotedList(all []string) string {
	for i, one := range all {
		all[i] = fmt.Sprintf("%q", one)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// anyOf draws mostly what stands for itself, so that much is accepted, or else what matches a pattern.
func anyOf(known []string, patterns ...string) *rapid.Generator[string] {
	all := slices.Repeat([]*rapid.Generator[string]{rapid.SampledFrom(known)}, 12)
	for _, p := range patterns {
		all = append(all, rapid.StringMatching(p))
	}
	return rapid.OneOf(all...)
}

var (
	longLabel    = strings.Repeat("a", 63)
	someSiteName = anyOf([]string{"a", "0-a_b", strings.Repeat("a", 64), strings.Repeat("_", 3)},
		`[a-z0-9][a-z0-9_-]{0,70}`)
	someServerName = anyOf([]string{"ws.example.com", "WS.example.com", "*.a.b", "192.0.2.1", "*.192.0.2.1",
		"localhost", longLabel + "." + longLabel,
		"*." + strings.Repeat(longLabel+".", 3) + longLabel[2:], strings.Repeat(longLabel+".", 3) + longLabel[2:]},
		`(\*\.)?[A-Za-z0-9-]{1,4}(\.[a-z0-9-]{1,4}){0,3}`)
	someListen = anyOf([]string{"80", "0.0.0.0:80", "[::]:80", "[0::0]:80", "127.0.0.1:65535", "[::ffff:10.0.0.1]:80",
		"[::ffff:0.0.0.0]:80", "[64:ff9b::1]:1"},
		`[0-9]{1,5}`, `\[[0-9a-f:]{2,9}\]:[0-9]{2}`)
	somePath = anyOf([]string{"/", "/ws/", "/a(b)", "/(", "/~a!&*+,=:@-._", "/..a", "/...", "/" +
		strings.Repeat("a", 999)}, "/[ -~]{0,8}")
	someBackend = anyOf([]string{"127.0.0.1:3000", "[::1]:3000", "[::ffff:127.0.0.1]:3000", "[64:ff9b::10.0.0.1]:1",
		"localhost:65535", "a-1.b:1", longLabel + ":1", "1.2.3.4.a:1"},
		`[A-Za-z0-9.-]{1,9}:[0-9]{1,5}`, `\[[0-9a-f:.]{2,9}\]:[0-9]{2}`)
	someFile    = anyOf([]string{"/etc/pki/a.pem", "/a+b,c=d:e@f~g", "/.a", "/..."}, `/[ -~]{1,9}`)
	someTimeout = rapid.SampledFrom([]string{"1ms", "75s", "24h", "1h30m", "8760h", "1.5s", "0.1s", "0s", "1ns"})
)
