package provision

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

// fakeNetwork is what answers on the network: a page by its address without the query. Another address has no name.
type fakeNetwork map[string]string

const (
	metalinkPage = "https://mirrors.fedoraproject.org/metalink"
	archiveIndex = "https://archives.fedoraproject.org/pub/archive/epel/7/x86_64/repodata/repomd.xml"
	mirrorIndex  = "https://mirror.example.com/epel/7/x86_64/repodata/repomd.xml"

	metalinkOfMirror = `<?xml version="1.0" encoding="utf-8"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/"><files><file name="repomd.xml"><resources>
<url protocol="rsync" type="rsync">rsync://mirror.example.com/epel/7/x86_64/repodata/repomd.xml</url>
<url protocol="http" type="http">http://old.example.com/epel/7/x86_64/repodata/repomd.xml</url>
<url protocol="https" type="https">https://mirror.example.com/epel/7/x86_64/repodata/repomd.xml</url>
</resources></file></files></metalink>`
)

// mirrors and archive are who answers for EPEL 7.
func mirrors() fakeNetwork {
	return fakeNetwork{metalinkPage: metalinkOfMirror, mirrorIndex: "<repomd/>"}
}
func archive() fakeNetwork { return fakeNetwork{archiveIndex: "<repomd/>"} }

func (n fakeNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	if ip := net.ParseIP(r.URL.Hostname()); ip != nil && ip.IsLoopback() { // a server of the test's own
		return http.DefaultTransport.RoundTrip(r)
	}
	address := *r.URL
	address.RawQuery = ""
	page, ok := n[address.String()]
	if !ok {
		return nil, &net.OpError{Op: "dial", Err: errors.New("lookup " + r.URL.Host + ": no such host")}
	}
	return &http.Response{StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1", Request: r,
		ContentLength: int64(len(page)), Body: io.NopCloser(strings.NewReader(page))}, nil
}
