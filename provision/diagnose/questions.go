package diagnose

import (
	"context"
	"errors"
	"net"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/websocket"
)

// situation is how far the WebSocket came.
type situation uint

const (
	unreached    situation = 1 << iota // no connection came about
	unsecured                          // nor did TLS
	answered                           // with a status other than 101
	unanswered                         // the connection was taken, and no answer came
	unlike                             // a 101 that is none
	later                              // the handshake went well, and something after it did not
	anySituation = unreached | unsecured | answered | unanswered | unlike | later
	handshake    = answered | unanswered | unlike
)

// where a connection went.
type where uint

const (
	anywhere  where = iota
	elsewhere       // to another host
	beside          // to what no configuration of nginx's here speaks of: another host, or another program of this one
	here            // to this host
	down            // to this host, and its nginx does not run
	running         // to this host, and its nginx runs
)

// question looks for one cause. It is asked in its situations and at its places only; nil is no.
type question struct {
	about situation
	at    where
	ask   func(context.Context, *evidence) *Diagnosis
}

// questions are asked in this order, and the first that has an answer has the cause. The order is that of certainty:
// what the client itself saw, who listens, what nginx logged of this very request, where its configuration leads the
// request, and what the backend answers directly. No question asks another.
func questions() []question {
	return []question{
		{unreached, anywhere, nameHasNoAddress},
		{unreached, anywhere, connectionIsFiltered},
		{unreached, elsewhere, nothingListensElsewhere},
		{unreached, anywhere, noRouteToAddress},
		{unreached, here, clientHasNoPort},

		{unreached, beside, nothingListensBeside},
		{unlike, beside, besideIsNoWebSocket},
		{answered | unanswered, beside, besideRefuses},

		{unsecured, anywhere, certificateIsExpired},
		{unsecured, anywhere, certificateIsAnothers},
		{unsecured, anywhere, certificateIsNotTrusted},

		{anySituation, down, unitRunsAnother},
		{handshake | later | unsecured, down, anotherNginxAnswers},
		{unreached | unsecured, down, configurationIsRefused},
		{anySituation, down, portIsTaken},
		{unreached, down, bindIsDenied},
		{unreached, down, startFailed},
		{unreached, down, diskIsFull},
		{unreached, down, nginxIsStopped},

		{anySituation, running, strangerHasAddress},
		{unreached, running, siteIsNotRead},
		{unreached, running, otherFamilyIsListened},
		{unreached, running, nothingIsListened},
		{unreached, running, bindIsDenied},
		{unreached, running, configurationIsRefused},
		{unreached, running, nginxIsOlder},

		{unsecured, anywhere, strangerSpeaksNoTLS},
		{unsecured, running, listenerSpeaksNoTLS},
		{unsecured, running, nginxHangs},
		{unsecured, anywhere, tlsIsRefused},

		{later, anywhere, silentConnectionIsCut},
		{later, anywhere, anotherNameIsUpgraded},
		{later, anywhere, upgradedUnasked},
		{later, anywhere, backendDoesNotEcho},
		{later, anywhere, connectionIsCut},
		{later, anywhere, pingIsNotAnswered},

		{answered | unanswered, running, connectionsAreSpent},
		{answered | unanswered, running, openFilesAreSpent},
		{answered | unanswered, running, noRoomToWrite},

		{handshake, running, siteIsNotRead},
		{answered | unanswered, running, proxyProtocolIsWanted},
		{answered, running, tlsIsWanted},
		{answered, running, clientCertificateIsWanted},
		{answered | unanswered, running, anotherListensThere},
		{answered | unanswered, running, anotherHasTheName},
		{answered | unanswered, running, nameIsNobodys},

		{answered | unanswered, running, familyIsOff},
		{answered | unanswered, running, backendSocketIsClosed},
		{answered | unanswered, running, backendIsDenied},
		{answered | unanswered, running, httpdIsDenied},
		{answered | unanswered, running, backendHasNoPort},
		{answered | unanswered, running, backendIsBoundAway},
		{answered | unanswered, running, backendIsUnreachable},
		{answered | unanswered, running, backendHasNoName},
		{answered | unanswered, running, backendSpeaksNoTLS},
		{answered | unanswered, running, backendsTLSFails},
		{answered | unanswered, running, backendsHeaderIsTooBig},
		{answered | unanswered, running, backendIsSilent},

		{answered | unanswered, running, nginxRedirects},
		{answered | unanswered, running, nginxWantsPassword},
		{answered | unanswered, running, nginxForbids},
		{answered | unanswered, running, nginxLimits},
		{answered | unanswered, running, nginxAnswers},
		{answered | unanswered, running, pathIsNowhere},

		{answered | unanswered, running, backendIsOfAnotherFamily},
		{answered | unanswered, running, backendIsDown},
		{answered | unanswered, running, backendNeverAnswers},

		{answered | unanswered, running, backendWantsTLS},
		{answered, running, backendWantsScheme},
		{answered, running, statusIsKept},
		{answered | unanswered, running, upgradeIsNotPassedOn},
		{answered | unanswered, running, httpIsOld},
		{answered | unanswered, running, pathIsChanged},
		{answered, running, hostIsChanged},
		{answered, running, fieldIsRefused},
		{handshake, running, backendIsNoWebSocket},
		{answered, running, originIsRefused},
		{answered, running, backendHasNotThePath},
		{answered, running, backendRefuses},
		{unanswered, running, nginxHangs},
		{anySituation, running, nginxIsOlder},
	}
}

// Explain finds the one cause, or none.
func Explain(ctx context.Context, h *host.Host, c config.Config, s Symptom) Diagnosis {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	e := gather(ctx, h, c, s)
	about := situationOf(e)
	for _, q := range questions() {
		if q.about&about == 0 || !isAt(e, q.at) {
			continue
		}
		if d := q.ask(ctx, e); d != nil {
			return *d
		}
	}
	return unexplained(e)
}

func situationOf(e *evidence) situation {
	var dial *websocket.DialError
	var dns *net.DNSError
	var secured *websocket.TLSError
	switch {
	case errors.As(e.Err, &dns), errors.As(e.Err, &dial):
		return unreached
	case errors.As(e.Err, &secured):
		return unsecured
	case e.Check == "no-upgrade-without-header" || e.Check == "other-host":
		return later
	case statusOf(e) != nil:
		return answered
	case silenceOf(e) != nil:
		return unanswered
	case isUnlike(e.Err):
		return unlike
	}
	return later
}

// isUnlike: a 101 without what RFC 6455 section 4.1 wants of it.
func isUnlike(err error) bool {
	var head *websocket.HeaderError
	var accept *websocket.AcceptError
	return errors.As(err, &head) || errors.As(err, &accept)
}

func isAt(e *evidence, at where) bool {
	local := isLocal(e)
	switch at {
	case elsewhere:
		return !local
	case beside:
		return e.Site == nil && e.address.IsValid() && !(local && nginxPort(e))
	case here:
		return local
	case down:
		return local && errors.Is(e.gone, nginx.ErrNotRunning)
	case running:
		return local && e.gone == nil
	}
	return true
}
