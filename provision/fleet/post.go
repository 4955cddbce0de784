package fleet

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/running"
	"wsprovision/provision/secret"
	"wsprovision/provision/site"
	"wsprovision/provision/state"
)

// postTime bounds all tries together.
const postTime = 30 * time.Second

// Receiver is where reports are sent to.
type Receiver struct {
	URL string
	// Bundle is the file of the authorities that are trusted; "" is the host's.
	Bundle string
	// Host is the host's name; "" asks the kernel.
	Host string
	// ID is that by which the host keeps the report; "" is the report's own.
	ID string
	// Sleep waits between tries, and ends early with ctx; nil is the clock.
	Sleep func(context.Context, time.Duration) error
}

// Send posts the report. The error has no credentials in it.
func (r Receiver) Send(ctx context.Context, report *engine.Report) error {
	body, err := state.ReportText(r.dressed(report))
	if err != nil {
		return fmt.Errorf("report_url: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, postTime,
		fmt.Errorf("no answer within %s", plaintext.Duration(postTime)))
	defer cancel()
	client := r.client(ctx)
	defer client.CloseIdleConnections()
	for pause := time.Second; ; pause *= 2 {
		again, err := r.post(ctx, client, body, "wsprovision/"+report.Agent)
		if err == nil {
			return nil
		}
		// The next try must be done in time, too.
		if deadline, _ := ctx.Deadline(); again && time.Until(deadline) > 2*pause && r.sleep(ctx, pause) == nil {
			continue
		}
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, ctx.Err()) {
			err = cause
		}
		return fmt.Errorf("the report was not sent to %s: %w", secret.Hide(r.URL), secret.Error(err))
	}
}

// dressed is the report as it leaves the host: it says whose it is, and what may be a secret is hidden.
func (r Receiver) dressed(report *engine.Report) *engine.Report {
	sent := report.Map(secret.Scrub)
	sent.ID, sent.Host = cmp.Or(r.ID, state.ReportID(report)), r.Host
	if sent.Host == "" {
		sent.Host, _ = os.Hostname()
	}
	return sent
}

func (r Receiver) client(ctx context.Context) *http.Client {
	bundle := r.Bundle
	if bundle == "" {
		bundle = site.SystemCA
	}
	return &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: false,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: host.Authorities(ctx, bundle)},
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 15 * time.Second,
			MaxResponseHeaderBytes: 64 << 10},
		// A report that is redirected becomes a GET without it, or goes to whom nobody named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post is one try. again says that another may succeed.
func (r Receiver) post(ctx context.Context, client *http.Client, body []byte, agent string) (again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", agent)
	response, err := client.Do(request)
	if err != nil {
		return !errors.As(err, new(*tls.CertificateVerificationError)), err
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, 200))
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return false, nil
	case code >= 300 && code < 400:
		return false, fmt.Errorf("it answers %s to %s, which is not followed: name that address in report_url",
			response.Status, secret.Hide(response.Header.Get("Location")))
	default:
		again = code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500
		return again, fmt.Errorf("it answers %s", strings.TrimSpace(response.Status+" "+firstLine(said)))
	}
}

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return strings.ToValidUTF8(secret.Scrub(strings.TrimSpace(line)), "")
}

func (r Receiver) sleep(ctx context.Context, d time.Duration) error {
	if r.Sleep != nil {
		return r.Sleep(ctx, d)
	}
	return running.Sleep(ctx, d)
}
