package rpm

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// noProxy is yum's word for none (yum.conf(5)).
const noProxy = "_none_"

// throughProxy gives the client the proxy that yum would take for the address: its repository's, else that of
// yum.conf. Where yum has none, the client's own holds, which is the environment's.
func (h Host) throughProxy(client *http.Client, address *url.URL) (*http.Client, error) {
	options, err := h.proxyOptions(address.String())
	if err != nil || options["proxy"] == "" || exempt(address.Hostname()) {
		return client, err
	}
	proxy, err := proxyURL(options)
	if err != nil {
		return nil, err
	}
	transport, ok := cmp.Or[http.RoundTripper](client.Transport, http.DefaultTransport).(*http.Transport)
	if !ok {
		return client, nil
	}
	transport = transport.Clone()
	transport.Proxy = http.ProxyURL(proxy) // nil is none
	own := *client
	own.Transport = transport
	return &own, nil
}

// proxyOptions are yum.conf's, or those of the enabled repository below whose baseurl the address lies. A file that
// this user may not read has none.
func (h Host) proxyOptions(address string) (map[string]string, error) {
	main, _, err := h.mainConf()
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for yum's proxy: %w", err)
	}
	files, err := h.repoFiles(main)
	if err != nil {
		return nil, fmt.Errorf("look for yum's proxy: %w", err)
	}
	for _, file := range append(files, mainConf...) {
		sections, err := h.readINI(file)
		if err != nil { // yum itself will complain of it
			continue
		}
		for _, s := range sections {
			if repository(s, main, file).holds(address) {
				return inherit(main.keys, s.keys), nil
			}
		}
	}
	return main.keys, nil
}

// holds reports whether the address lies below a baseurl.
func (r Repository) holds(address string) bool {
	for _, base := range strings.Fields(r.BaseURL) {
		if r.Enabled && strings.HasPrefix(address, strings.TrimSuffix(base, "/")+"/") {
			return true
		}
	}
	return false
}

// inherit are a repository's options; what it does not say yum.conf says.
func inherit(main, own map[string]string) map[string]string {
	options := map[string]string{}
	for _, name := range []string{"proxy", "proxy_username", "proxy_password"} {
		options[name] = cmp.Or(own[name], main[name])
	}
	return options
}

// proxyURL puts user and password into the URL, as yum does (yumRepo.py); nil where the options say that there is no
// proxy.
func proxyURL(options map[string]string) (*url.URL, error) {
	if strings.EqualFold(options["proxy"], noProxy) {
		return nil, nil
	}
	u, err := url.Parse(options["proxy"])
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the proxy in yum's configuration is not an http or https URL") // it may hold a password
	}
	if user := options["proxy_username"]; user != "" {
		u.User = url.UserPassword(user, options["proxy_password"])
	}
	return u, nil
}

// exempt reports whether no_proxy names the host, which libcurl, and so yum, obeys whatever proxy it is told
// (CURLOPT_NOPROXY(3)).
func exempt(host string) bool {
	list := cmp.Or(os.Getenv("no_proxy"), os.Getenv("NO_PROXY"))
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		name = strings.TrimPrefix(name, ".")
		within := strings.HasSuffix(strings.ToLower(host), "."+strings.ToLower(name))
		if name == "*" || strings.EqualFold(host, name) || within {
			return true
		}
	}
	return false
}
