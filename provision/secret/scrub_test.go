package secret

import (
	"strings"
	"testing"
)

// hostile are texts with a secret in them, each of which begins with s3cret.
var hostile = []string{
	`proxy_set_header Authorization "Basic s3cret";`, `proxy_set_header X-Api-Key s3cret;`,
	`proxy_set_header X-Internal s3cret;`, `	proxy_set_header X-Internal 's3cret s3cret';`,
	`grpc_set_header a "s3cret";`, `fastcgi_param DB_PASSWORD s3cret;`, `uwsgi_param X s3cret;`,
	`add_header X-Token "s3cret" always;`, `more_set_headers "X-Key: s3cret";`,
	`more_set_input_headers 'Authorization: Basic s3cret';`, `set $token "s3cret";`, `set $x s3cret;`,
	`auth_request_set $a "s3cret";`, `secure_link_secret s3cret;`, `secure_link_md5 "$uri s3cret";`,
	`secure_link_hmac_secret s3cret;`, `ssl_password "s3cret";`, `env API_TOKEN=s3cret;`, `env A=s3cret;`,
	`if ($http_authorization != "Bearer s3cret") { return 401; }`, `if ($arg_key = s3cret) { return 403; }`,
	`if ($http_x_k = "s3cret") {}`, `if ($cookie_a ~ "s3cret") {}`,
	"map $http_x_api_key $ok {\n    default 0;\n    \"s3cret\" 1;\n    s3cret2 1;\n}\n",
	"map $host $auth_token {\n    a.example.com \"s3cret\";\n}\n",
	"map $arg_t $ok { s3cret 1; }", "proxy_set_header Authorization\n    \"s3cret\";\n",
	"proxy_set_header X-Foo\n\n    s3cret;\n", `return 302 https://u:s3cret@host/x;`, `return 302 /x?token=s3cret;`,
	`rewrite ^ /x?a=s3cret&b=$arg_b redirect;`, `proxy_pass http://u:s3cret@127.0.0.1:3000/;`,
	`proxy_pass http://127.0.0.1/?key=s3cret;`, `# proxy_set_header Authorization "Basic s3cret";`,
	`    # password: s3cret`, `proxy_cookie_path / "/; s3cret";`, `access_by_lua 'x = "s3cret"';`,
	"content_by_lua_block {\n  local token = \"s3cret\"\n}", `perl_set $x 'sub { "s3cret" }';`,
	`redis_pass_token s3cret;`,
}

// TestHostileScrub: no secret is left in what leaves the host, as it stands, in a diff, in YAML, and in a file of
// nginx.
func TestHostileScrub(t *testing.T) {
	for _, text := range hostile {
		for name, got := range map[string]string{"Nginx": Nginx(text),
			"Nginx, nested": Nginx("http {\n" + text + "\n}\n"),
			"Nginx, broken": Nginx(text + "\n}}} \"x"), "Scrub": Scrub(text),
			"Scrub of a diff": Scrub("+" + strings.ReplaceAll(text, "\n", "\n+")),
			"Scrub of YAML":   Scrub("snippet: |\n  " + strings.ReplaceAll(text, "\n", "\n  "))} {
			if strings.Contains(got, "s3cret") {
				t.Errorf("%s of %q is %q", name, text, got)
			}
		}
	}
	for _, text := range []string{
		"Authorization: Basic s3cret", "authorization: bearer s3cret", `{"token": "s3cret", "a": 1}`,
		"password=s3cret a",
		"db_password = 's3cret s3cret'", "API-Key:s3cret", "export SECRET=s3cret", "Cookie: s3cret",
		"x?access_token=s3cret&b",
		"GET /ws?t=s3cret HTTP/1.1", "PGPASSWORD=\"s3cret\\\"s3cret\" x", "user:$apr1$s3cret$s3cret", "a:{SHA}s3cret=",
		"root:$6$s3cret/x:1", "-----BEGIN RSA PRIVATE KEY-----\ns3cret\n-----END RSA PRIVATE KEY-----\n",
		"+-----BEGIN PRIVATE KEY-----\n+s3cret", "https://u:s3cret@h/x",
		"baseurl=https://h/?s3cret", "proxy_password=s3cret",
		"request_headers: {Authorization: \"s3cret\"}", "      Authorization: 's3cret'", "secret: /s3cret",
		`invalid port in upstream "u:s3cret@127.0.0.1:1" in x`,
		"report_url: https://u:p@h/?s3cret", "u:/s3cret@h",
		"passwd s3=x password:s3cret",
	} {
		if got := Scrub(text); strings.Contains(got, "s3cret") {
			t.Errorf("Scrub of %q is %q", text, got)
		}
	}
}

// What helps and tells nothing stays.
func TestScrubKeeps(t *testing.T) {
	for _, text := range []string{
		"proxy_set_header Host $host;", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
		"proxy_set_header Connection \"upgrade\";", "proxy_set_header Authorization $http_authorization;",
		"server_tokens off;", "ssl_session_cache shared:SSL:10m;", "auth_basic \"Members\";",
		"auth_basic_user_file /etc/nginx/users;", "hash $cookie_session;", "listen [::]:443 ssl;",
		"proxy_pass http://127.0.0.1:3000;", "map $http_upgrade $connection {", "set $port 80;",
		"proxy_set_header Upgrade $http_upgrade;", "add_header Strict-Transport-Security \"max-age=1\" always;",
		"ssl_certificate_key /etc/pki/tls/private/a.key;", "port tcp/3000: ntop_port_t → http_port_t",
		"yum: exit status 1: No package nginx available.", "boolean httpd_can_network_connect (running): off → on",
		"tls_key: /etc/pki/a.key", "--- /dev/null\n+++ /etc/nginx/conf.d/a.conf\n@@ -0,0 +1,2 @@\n+server {\n+}\n",
		"set the boolean with setsebool", "secret_file: /etc/x",
	} {
		if got := Scrub(text); got != text {
			t.Errorf("Scrub of %q is %q", text, got)
		}
	}
	const conf = "http {\n    server {\n        listen 80;\n        location / {\n            proxy_pass http://a;\n" +
		"            proxy_set_header X-A …;\n        }\n    }\n}\n"
	text := "# configuration file /etc/nginx/nginx.conf:\nhttp { # why\nserver { listen 80; location / " +
		"{ proxy_pass http://a; proxy_set_header X-A \"b c\"; } } }"
	if got := Nginx(text); got != "# configuration file /etc/nginx/nginx.conf:\n"+conf {
		t.Errorf("%s", got)
	}
	if got := Nginx(conf); got != conf {
		t.Errorf("twice: %s", got)
	}
}

func FuzzScrub(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		Scrub(text)
		Nginx(text)
	})
}

// What a probe sends and headers are hidden under any name, and what is beside them stays.
func TestConfiguration(t *testing.T) {
	const text = `sites:
  - name: a
    locations:
      - path: /ws/
        request_headers: {X-Tenant: blue, X-Colour: red}
        probe:
          headers:
            X-Tenant: blue
          send: |
            hello

            blue
          expect: {message: '^blue, 1', status: 101}
        read_timeout: 1h
      - probe: {path: /x, send: "blue, 2", expect: {message: blue}}
#        message: blue
`
	const want = `sites:
  - name: a
    locations:
      - path: /ws/
        request_headers: …
        probe:
          headers:
            X-Tenant: …
          send: |
            …

            …
          expect: {message: …, status: 101}
        read_timeout: 1h
      - probe: {path: /x, send: …, expect: {message: …}}
#        message: …
`
	if got := Configuration(text); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}
