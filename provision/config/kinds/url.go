package kinds

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"wsprovision/provision/secret"
)

// urlOrPath is http, https or file with a host where one is due, or an absolute path. http will do: what is fetched is
// checked against a pinned key.
func urlOrPath(s Scalar) (string, error) {
	if strings.HasPrefix(s.Text, "/") && !strings.HasPrefix(s.Text, "//") { // which is a URL without its scheme
		return filePath(s)
	}
	return webAddress(s, ",", ", or be an absolute path")
}

// baseURL may hold the variables of yum that make sense in it.
func baseURL(s Scalar) (string, error) {
	return webAddress(s, "$", "")
}

func webAddress(s Scalar, more, orElse string) (string, error) {
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
	case !plainPort(u.Port()):
		return "", fmt.Errorf("%s: the port must be from 1 to 65535", shown(value))
	case u.Fragment != "" || strings.Contains(value, "#"):
		return "", fmt.Errorf("%s: remove the # and what follows", shown(value))
	case len(value) > 1000:
		return "", fmt.Errorf("%s has more than 1000 characters", shown(value))
	case strings.Contains(strings.NewReplacer("$basearch", "", "$releasever", "").Replace(value), "$"):
		return "", fmt.Errorf("%s: only $basearch and $releasever are accepted, and only in a repository's address",
			shown(value))
	}
	return value, secret.Error(Only(value, Alphanum+"-._~:/?&=+@%![]"+more))
}

// plainPort is a URL's port, of which net/url asks only that it has digits, or "" for none.
func plainPort(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && n >= 1 && n <= 65535
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
	return Quote(scheme + rest)
}
