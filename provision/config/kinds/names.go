package kinds

import (
	"fmt"
	"net/netip"
	"path"
	"strings"
)

// siteName is a file name under conf.d, and part of variable names in nginx.
func siteName(s Scalar) (string, error) {
	value, err := text(s)
	if err != nil {
		return "", err
	}
	if len(value) > 64 || strings.ContainsAny(value[:1], "-_") ||
		strings.Trim(value, "abcdefghijklmnopqrstuvwxyz"+digits+"-_") != "" {
		return "", fmt.Errorf("%s is no name of a site: up to 64 of a-z, 0-9, - and _, the first a letter or a digit",
			Quote(value))
	}
	return value, nil
}

// serverName is a host name, an IPv4 address, or *. before a name. nginx's other forms are refused: regular expressions
// because they are a syntax of their own, "_" because it names nothing that a client could ask for and so proves
// nothing.
func serverName(s Scalar) (string, error) {
	value, err := text(s)
	if err != nil {
		return "", err
	}
	name, wildcard := strings.CutPrefix(value, "*.")
	switch err = hostName(name); {
	case value == "_":
		err = fmt.Errorf("this names no host: write the name that clients use")
	case strings.HasPrefix(value, "~"):
		err = fmt.Errorf("a regular expression is not accepted: list the names, or \"*.example.com\"")
	case strings.HasPrefix(value, "."):
		err = fmt.Errorf("list both %s and *%s instead", Cut(value[1:]), Cut(value))
	case strings.ContainsAny(value, " ,") && s.Tag != "":
		err = fmt.Errorf("several names are a list: [a.example.com, b.example.com]")
	case strings.Contains(value, "://"):
		err = fmt.Errorf("a name is not a URL: write the host name alone")
	case strings.Contains(value, "*") && (!wildcard || !strings.Contains(name, ".")):
		err = fmt.Errorf("a wildcard stands for the first label of at least three: \"*.example.com\"")
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", Quote(value), err)
	}
	return value, nil
}

// hostName is RFC 1123, 2.1: labels of letters, digits and inner hyphens, 1 to 63 each, 253 in all; and underscores,
// which names in use have (app_server).
func hostName(name string) error {
	for _, r := range name {
		if r > 127 {
			return fmt.Errorf("a name in another script is written in punycode, like xn--bcher-kva.example")
		}
	}
	if strings.HasSuffix(name, ".") {
		return fmt.Errorf("write it without the dot at the end")
	}
	if len(name) > 253 {
		return fmt.Errorf("a host name has at most 253 characters")
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, Alphanum+"_-") != "" {
			return fmt.Errorf("a host name is made of letters, digits, _ and inner hyphens, 1 to 63 between dots, "+
				"and %s is not", Quote(label))
		}
	}
	if last := name[strings.LastIndexByte(name, '.')+1:]; strings.Trim(last, digits) == "" {
		if _, err := netip.ParseAddr(name); err != nil {
			return fmt.Errorf("it ends in a number and is no IPv4 address")
		}
	}
	return nil
}

// LocationPath is compared by nginx with the decoded and normalised path of a request, so what such a path never holds
// is refused: it would match nothing.
func LocationPath(s Scalar) (string, error) {
	value, err := text(s)
	switch {
	case err != nil:
		return "", err
	case value[0] != '/':
		return "", fmt.Errorf("%s must start with /", Quote(value))
	case len(value) > 1000:
		return "", fmt.Errorf("%s has more than 1000 characters", Quote(value))
	case strings.Contains(value, "%"):
		return "", fmt.Errorf("%s: nginx compares the decoded path: write it without %%", Quote(value))
	case strings.Contains(value, "//") || strings.Contains(value+"/", "/./") || strings.Contains(value+"/", "/../"):
		return "", fmt.Errorf("%s: nginx resolves //, /. and /.. in requests, so this would match nothing",
			Quote(value))
	}
	return value, Only(value, Alphanum+"/-._~!&()*+,=:@")
}

// filePath is an absolute path without detours.
func filePath(s Scalar) (string, error) {
	value, err := text(s)
	switch {
	case err != nil:
		return "", err
	case value[0] != '/':
		return "", fmt.Errorf("%s must be an absolute path", Quote(value))
	case path.Clean(value) != value || value == "/":
		return "", fmt.Errorf("%s must name a file, without // /. or /.. in it", Quote(value))
	case len(value) > 1000:
		return "", fmt.Errorf("%s has more than 1000 characters", Quote(value))
	}
	return value, Only(value, Alphanum+"/-._~+,=:@")
}
