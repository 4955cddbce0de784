package rpm

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"

	"wsprovision/rpm/yumconf"
)

// noProxy is yum's word for none (yum.conf(5)).
const noProxy = "_none_"

// throughProxy gives the client the proxy that yum would take for the address: its repository's, else that of
// yum.conf. Where yum has none, the client's own holds, which is the environment's.
func throughProxy(conf yumconf.Conf, client *http.Client, address *url.URL) (*http.Client, error) {
	options, err := conf.ProxyOptions(address.String())
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
