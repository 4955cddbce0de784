package server

import (
	"testing"
	"time"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/websocket/handshake"
)

func TestCertificateWarnings(t *testing.T) {
	now := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	one := func(subject, issuer string, days int) handshake.Certificate {
		return handshake.Certificate{Subject: subject, Issuer: issuer,
			NotAfter: now.Add(time.Duration(days) * 24 * time.Hour)}
	}
	leaf, mid, root := one("CN=ws", "CN=mid", 60), one("CN=mid", "CN=root", 60), one("CN=root", "CN=root", 60)
	for name, tt := range map[string]struct {
		chain []handshake.Certificate
		want  cause.Code
	}{
		"in order":          {[]handshake.Certificate{leaf, mid}, ""},
		"with the root":     {[]handshake.Certificate{leaf, mid, root}, ""},
		"signed by itself":  {[]handshake.Certificate{root}, ""},
		"the root before":   {[]handshake.Certificate{leaf, root, mid}, cause.CertificateChainOrder},
		"two of the site's": {[]handshake.Certificate{leaf, leaf, mid}, cause.CertificateChainOrder},
		"in 29 days": {[]handshake.Certificate{one("CN=ws", "CN=mid", 29), mid},
			cause.CertificateExpiresSoon},
		"over, which is no matter of a warning": {[]handshake.Certificate{one("CN=ws", "CN=mid", -1), mid}, ""},
		"none":                                  {nil, ""},
	} {
		got := cause.Code("")
		for _, d := range CertificateWarnings(handshake.Target{Host: "ws"}, &handshake.TLS{Chain: tt.chain}, now) {
			got += d.Code
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
