package rpm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"wsprovision/provision/secret"
	"wsprovision/rpm/yumconf"
)

const (
	fetchTime    = 2 * time.Minute // for everything, where ctx has no deadline of its own
	maxRedirects = 5
)

// Fetch reads an http, https or file URL into memory: at most limit bytes, in at most two minutes unless ctx says
// otherwise. What comes is not to be trusted before its fingerprint or signature is checked. A redirect from https to
// http is refused. The client's own timeout and roots hold, and the proxy of yum's configuration; nil is
// http.DefaultClient. What the network or the server may get over is tried again as yum's repositories are.
func (h Host) Fetch(ctx context.Context, client *http.Client, address string, limit int64) ([]byte, error) {
	for failed := 1; ; failed++ {
		data, err := h.fetch(ctx, client, address, limit)
		if err == nil {
			return data, nil
		}
		err = secret.Error(fmt.Errorf("fetch %s: %w", address, err))
		if !passing(err) || failed >= h.attempts() || ctx.Err() != nil {
			return nil, err
		}
		if err := h.again(ctx, err, failed); err != nil {
			return nil, err
		}
	}
}

// statusError is an answer other than 200.
type statusError struct {
	code   int
	status string
}

func (e *statusError) Error() string { return "the server answered " + e.status }

// passing tells trouble that may be over in a moment from what stays: a page that is not there, a certificate, a
// redirect.
func passing(err error) bool {
	var network net.Error
	var answer *statusError
	if errors.As(err, &answer) {
		return answer.code >= 500 || answer.code == http.StatusTooManyRequests ||
			answer.code == http.StatusRequestTimeout
	}
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func (h Host) fetch(ctx context.Context, client *http.Client, address string, limit int64) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	switch {
	case u.Scheme == "file" && u.Host == "" && filepath.IsAbs(u.Path):
		return h.Yum.FetchFile(u.Path, limit)
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		return h.fetchHTTP(ctx, client, u, limit)
	}
	return nil, errors.New("not an http, https or file:/// URL")
}

func (h Host) fetchHTTP(ctx context.Context, client *http.Client, u *url.URL, limit int64) ([]byte, error) {
	client, err := throughProxy(h.Yum, bounded(client), u)
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, fetchTime)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	data, err := body(client, req, limit)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx) // a server that sees us leave may still answer, with less than it meant to
	}
	return data, err
}

func body(client *http.Client, req *http.Request, limit int64) ([]byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		if e := (*url.Error)(nil); errors.As(err, &e) {
			err = e.Err // the address is in our own sentence
		}
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &statusError{resp.StatusCode, resp.Status}
	}
	if resp.ContentLength > limit {
		return nil, fmt.Errorf("%d bytes, more than %d", resp.ContentLength, limit)
	}
	return yumconf.ReadAll(resp.Body, limit)
}

func bounded(client *http.Client) *http.Client {
	if client == nil {
		client = http.DefaultClient
	}
	own := *client
	own.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
			return fmt.Errorf("a redirect from https to %s", req.URL.Scheme)
		}
		req.Header.Del("Referer") // which would tell another server the query of ours
		return nil
	}
	return &own
}
