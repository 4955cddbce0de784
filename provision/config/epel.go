package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"wsprovision/provision/secret"
)

// urlOrPath is http, https or file with a host where one is due, or an absolute path. http will do: what is fetched is
// checked against a pinned key.
func urlOrPath(s scalar) (string, error) {
	if strings.HasPrefix(s.text, "/") && !strings.HasPrefix(s.text, "//") { // which is a URL without its scheme
		return filePath(s)
	}
	return webAddress(s, ",", ", or be an absolute path")
}

// baseURL may hold the variables of yum that make sense in it.
func baseURL(s scalar) (string, error) {
	return webAddress(s, "$", "")
}

func webAddress(s scalar, more, orElse string) (string, error) {
	value, err := text(s)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(value)
	switch {
	case !strings.HasPrefix(value, "http:") && !strings.HasPrefix(value, "https:") &&
		!strings.HasPrefix(value, "file:"):
		return "", fmt.Errorf("%s must start with http://, https:// or file:///%s", shown(value), orElse)
	case err != nil && strings.Contains(value, "@"): // the cause may quote a part of the password
		return "", fmt.Errorf("%s is no URL: in a user or a password write %%40 for @, %%2F for /, %%23 for #, "+
			"%%3F for ?, %%25 for %%", shown(value))
	case err != nil:
		return "", fmt.Errorf("this is no URL: %w", errors.Unwrap(err)) // which may have a password in it
	case u.Scheme == "file" && (u.Host != "" || !strings.HasPrefix(u.Path, "/")):
		return "", fmt.Errorf("%s: a file's URL has three slashes, like file:///srv/epel", shown(value))
	case u.Scheme != "file" && u.Hostname() == "":
		return "", fmt.Errorf("%s has no host", shown(value))
	case u.Fragment != "" || strings.Contains(value, "#"):
		return "", fmt.Errorf("%s: remove the # and what follows", shown(value))
	case len(value) > 1000:
		return "", fmt.Errorf("%s has more than 1000 characters", shown(value))
	case strings.Contains(strings.NewReplacer("$basearch", "", "$releasever", "").Replace(value), "$"):
		return "", fmt.Errorf("%s: only $basearch and $releasever are accepted, and only in baseurl",
			shown(value))
	}
	return value, secret.Error(only(value, alphanum+"-._~:/?&=+@%![]"+more))
}

// shown is a value for a message, without credentials, also where it is no URL: all before its last @, and its query.
func shown(value string) string {
	rest := value
	if _, behind, found := strings.Cut(value, "://"); found {
		rest = behind
	}
	scheme := strings.TrimSuffix(value, rest)
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = secret.Hidden + rest[at:]
	}
	if before, query, asks := strings.Cut(rest, "?"); asks && query != "" {
		rest = before + "?" + secret.Hidden
	}
	return quote(scheme + rest)
}

// fingerprint takes any scalar's text: forty digits without a letter, or with one E, are a number to YAML.
func fingerprint(s scalar) (string, error) {
	value := strings.ToUpper(strings.Join(strings.Fields(s.text), ""))
	switch {
	case value == "" || s.tag == "!!null":
		return text(scalar{})
	case len(value) != 40 || strings.Trim(value, "0123456789ABCDEF") != "":
		return "", fmt.Errorf("%s must be the key's whole fingerprint, 40 hexadecimal digits: gpg "+
			"--with-fingerprint "+
			"FILE shows it", quote(s.text))
	}
	return value, nil
}

// uses is which keys each source needs, and which it takes besides.
func (e EPEL) uses() (needs, takes []string) {
	switch e.Source {
	case EPELPackage:
		return []string{"epel.package", "epel.gpgkey"}, []string{"epel.fingerprint"}
	case EPELMirror:
		return []string{"epel.baseurl", "epel.gpgkey"}, []string{"epel.fingerprint"}
	}
	return nil, nil
}
