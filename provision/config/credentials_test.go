package config

import (
	"strings"
	"testing"
)

// TestHostileCredentialsInProblems: whatever is wrong with a URL, or with where it stands, its password is not shown.
func TestHostileCredentialsInProblems(t *testing.T) {
	for _, address := range []string{
		`http://user:s3cret's3cret@host/`, `http://user:s3cret"s3cret@host/`, `http://user:s3cret<s3cret@host/`,
		`http://user:s3cret s3cret@host/`, `http://user:s3cret#s3cret@host/`, `http://user:s3cret?s3cret@host/`,
		`http://user:s3cret/s3cret@host/`, `http://user:s3cret%s3cret@host/`, `http://user:s3cret@host:99999/`,
		`user:s3cret@host/`, `//user:s3cret@host/`, `http:user:s3cret@host/`, `host/?token=s3cret`,
		`ftp://user:s3cret@host/`, `http://user:s3cret@host/$x`,
	} {
		for _, key := range []string{"baseurl", "package", "gpgkey"} {
			quoted := "'" + strings.ReplaceAll(address, "'", "''") + "'\n"
			_, inFile := load("epel:\n  " + key + ": " + quoted)
			_, typed := Load(Input{Flags: map[string]string{key: address}})
			for _, err := range []error{inFile, typed} {
				if err == nil || strings.Contains(err.Error(), "s3cret") {
					t.Errorf("%s: %s: %v", key, address, err)
				}
			}
		}
	}
	for _, text := range []string{
		"epel: http://u:s3cret@h/\n", "epel:\n  http://u:s3cret@h/: x\n", "epel:\n  source: http://u:s3cret@h/\n",
		"epel:\n  fingerprint: http://u:s3cret@h/\n", "epel:\n  baseurl: [http://u:s3cret@h/]\n",
		"http://u:s3cret@h/\n",
	} {
		if _, err := load(text); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
