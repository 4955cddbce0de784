package support

import (
	"strings"
	"testing"
	"time"
)

// plantedConfiguration has a secret wherever the file of the configuration can hold one.
const plantedConfiguration = `report_url: https://fleet:s3cret@reports.example.com/in?token=s3cret
epel:
  source: mirror
  baseurl: https://u:s3cret@mirror.example.com/epel/?key=s3cret
  gpgkey: https://mirror.example.com/key?sig=s3cret
sites:
  - name: planted
    server_name: planted.example.com
    locations:
      - path: /ws/
        backend: 127.0.0.1:3000
        request_headers: {Authorization: Bearer s3cret, X-Tenant-Key: 's3cret'}
        basic_auth_file: /etc/nginx/users
        snippet: |
          proxy_set_header Authorization "Basic s3cret";
          add_header Set-Cookie "session=s3cret";
          set $token s3cret;
          if ($http_x_api_key != "s3cret") { return 403; }
          secure_link_md5 "$uri s3cret";
          auth_request_set $t s3cret;
          fastcgi_param PASSWORD
             s3cret;
          rewrite ^ https://u:s3cret@h.example.com/?token=s3cret;
        probe:
          path: /ws/?access_token=s3cret
          headers:
            Cookie: session=s3cret
            Authorization: Bearer s3cret
            X-Key: "s3cret"
          credentials_file: /etc/wsprovision/probe-credentials
          send: '{"token": "s3cret"}'
          expect: {message: 's3cret'}
      - path: /flow/
        backend: 127.0.0.1:3001
        request_headers: {X-Tenant: s3cret, "X-Colour": "s3cret"}
        probe: {path: /flow/, headers: {X-Tenant: s3cret}, send: s3cret, expect: {message: ^s3cret, status: 101}}
      - path: /block/
        backend: 127.0.0.1:3002
        request_headers:
          X-Tenant: s3cret
          X-Colour: >-
            s3cret
        probe:
          headers:
            X-Tenant: s3cret
          send: |
            hello s3cret
          expect:
            message: s3cret
#      - path: /comment/
#        probe:
#          send: s3cret
`

// plantedNginx has one wherever nginx.conf can.
const plantedNginx = `events {}
env API_TOKEN=s3cret;
http {
    map $http_authorization $allowed { default 0; "Bearer s3cret" 1; ~s3cret 1; }
    map $cookie_session $user { s3cret bob; }
    map $uri $api_secret { default s3cret; }
    geo $secret_key { default s3cret; }
    upstream b { server 127.0.0.1:1; }
    server {
        listen 80;
        set $jwt_secret 's3cret';
        ssl_password_file /etc/nginx/passwords;
        access_log syslog:server=10.0.0.1,tag=x main if=$arg_token;
        location /a { proxy_pass http://u:s3cret@b/?key=s3cret; proxy_cookie_path / "/; s3cret"; }
        location /b { proxy_set_header Cookie "a=s3cret"; add_header X-Token s3cret always; }
        location /c { if ($arg_token = s3cret) { return 302 https://h/?sig=s3cret; } }
        location /d { return 200 '{"password": "s3cret"}'; }
        location /e { sub_filter "token=old" "token=s3cret"; uwsgi_param SECRET s3cret; }
        location /f { access_by_lua_block { ngx.var.k = "s3cret" } }
    }
}
`

// TestHostileSecretsEverywhere: a secret is planted in every input that the archive is made of.
func TestHostileSecretsEverywhere(t *testing.T) {
	g := gatherer(t, map[string]string{
		"/etc/wsprovision/wsprovision.yaml":  plantedConfiguration,
		"/etc/wsprovision/sites.d/chat.yaml": strings.ReplaceAll(plantedConfiguration, "planted", "chat"),
		"/etc/wsprovision/probe-credentials": "u:s3cret\n",
		"/etc/nginx/nginx.conf":              plantedNginx,
		"/etc/nginx/users":                   "bob:{PLAIN}s3cret\n",
		"/var/lib/wsprovision/deferred.yaml": plantedConfiguration,
		"/var/log/wsprovision/20261130T170000.123Z.json": `{"report_version": 1, "command": "apply", "steps": [
{"name": "packages", "status": "failed", "error": "yum: https://u:s3cret@h/: 403; proxy_password=s3cret",
"notes": ["Authorization: Basic s3cret"], "warnings": ["Cookie: a=s3cret"], "changes": [
{"object": "file /etc/x", "from": "absent", "to": "written",
"diff": "+password: s3cret\n+baseurl=http://u:s3cret@h\n"}]}]}`,
	})
	g.Input.SitesDir = "/etc/wsprovision/sites.d"
	a := g.Gather(t.Context(), time.Unix(1790000000, 0))
	content, err := a.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range unpacked(t, content) {
		for line := range strings.Lines(text) {
			if strings.Contains(line, "s3cret") {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}
