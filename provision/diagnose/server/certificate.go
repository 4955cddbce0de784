package server

import (
	"fmt"
	"strings"
	"time"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/websocket/handshake"
)

// soon is how long before a certificate's end it is warned of: certbot renews 30 days before.
const soon = 30 * 24 * time.Hour

// CertificateWarnings are about a certificate that this client takes, and another may not, or not for long.
func CertificateWarnings(t handshake.Target, shown *handshake.TLS, now time.Time) (all []cause.Diagnosis) {
	if shown == nil || len(shown.Chain) == 0 {
		return nil
	}
	if left := shown.Chain[0].NotAfter.Sub(now); left > 0 && left < soon {
		all = append(all, *cause.New(cause.CertificateExpiresSoon,
			fmt.Sprintf("the certificate of %s expires on %s, in %d days",
				shown.ServerName, shown.Chain[0].NotAfter.Format(time.DateOnly), int(left.Hours()/24)),
			cause.Say("renew it, put it in place of the old one, then systemctl reload nginx"), t.String()))
	}
	if wrong := outOfOrder(shown.Chain); wrong != "" {
		all = append(all, *cause.New(cause.CertificateChainOrder,
			"the chain that the server shows is not in order, and some clients do not look further (RFC 5246, "+
				"section 7.4.2: each certificate certifies the one before it)",
			cause.Say("put the certificates into the file in that order, the site's own first, then systemctl "+
				"reload nginx"),
			t.String(), wrong))
	}
	return all
}

// outOfOrder names the first certificate that does not certify the one before it; "" where there is none.
func outOfOrder(chain []handshake.Certificate) string {
	for i := range chain[:len(chain)-1] {
		if chain[i].Issuer != chain[i+1].Subject {
			return fmt.Sprintf("%s is issued by %s, and %s follows it", chain[i].Subject, chain[i].Issuer,
				strings.TrimSpace(chain[i+1].Subject))
		}
	}
	return ""
}
