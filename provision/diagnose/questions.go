package diagnose

import (
	"context"
	"errors"
	"net"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/diagnose/answer"
	"wsprovision/provision/diagnose/backend"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/diagnose/server"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/websocket/handshake"
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
	shaken       = answered | unanswered | unlike // by a handshake that did not go well
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
	ask   func(context.Context, *facts.Evidence) *cause.Diagnosis
}

// questions are asked in this order, and the first that has an answer has the cause. The order is that of certainty:
// what the client itself saw, who listens, what nginx logged of this very request, where its configuration leads the
// request, and what the backend answers directly. No question asks another.
var questions = []question{
	{unreached, anywhere, server.NameHasNoAddress},
	{unreached, anywhere, server.ConnectionIsFiltered},
	{unreached, elsewhere, server.NothingListensElsewhere},
	{unreached, anywhere, server.NoRouteToAddress},
	{unreached, here, server.ClientHasNoPort},
	{unreached, anywhere, server.ClientHasNoFiles},

	{unreached, beside, server.NothingListensBeside},
	{unlike, beside, server.BesideIsNoWebSocket},
	{answered | unanswered, beside, server.BesideRefuses},

	{unsecured, running, server.SecureNameIsNobodys},
	{unsecured, anywhere, server.CertificateIsExpired},
	{unsecured, anywhere, server.CertificateIsAnothers},
	{unsecured, anywhere, server.CertificateIsNotTrusted},

	{anySituation, down, server.UnitRunsAnother},
	{shaken | later | unsecured, down, server.AnotherNginxAnswers},
	{unreached | unsecured, down, server.ConfigurationIsRefused},
	{anySituation, down, server.PortIsTaken},
	{unreached, down, server.BindIsDenied},
	{unreached, down, server.StartFailed},
	{unreached, down, server.DiskIsFull},
	{unreached, down, server.NginxIsStopped},

	{anySituation, running, server.StrangerHasAddress},
	{anySituation, running, server.WorkersWereFull},
	{unreached, running, server.SiteIsNotRead},
	{unreached, running, server.OtherFamilyIsListened},
	{unreached, running, server.NothingIsListened},
	{unreached, running, server.BindIsDenied},
	{unreached, running, server.ConfigurationIsRefused},
	{unreached, running, server.NginxHoldsItsOwnAddress},
	{unreached, running, server.NginxIsOlder},

	{unsecured, anywhere, server.StrangerSpeaksNoTLS},
	{unsecured, running, server.ListenerSpeaksNoTLS},
	{unsecured, running, server.ProxyProtocolIsWanted},
	{unsecured, running, server.NginxHangs},
	{unsecured, anywhere, server.TLSIsRefused},

	{later, anywhere, answer.IsNotAsExpected},
	{later, anywhere, answer.SilentConnectionIsCut},
	{later, anywhere, answer.AnotherNameIsUpgraded},
	{later, anywhere, answer.UpgradedUnasked},
	{later, anywhere, answer.BackendDoesNotEcho},
	{later, anywhere, answer.ConnectionIsCut},
	{later, anywhere, answer.PingIsNotAnswered},

	{answered | unanswered, running, answer.NginxAsksItself},
	{answered | unanswered, running, server.ConnectionsAreSpent},
	{answered | unanswered, running, server.OpenFilesAreSpent},
	{answered | unanswered, running, server.NoRoomToWrite},

	{shaken, running, server.SiteIsNotRead},
	{answered | unanswered, running, server.ProxyProtocolIsWanted},
	{unanswered, running, server.HTTP2IsWanted},
	{answered, running, server.TLSIsWanted},
	{answered, running, server.ClientCertificateIsWanted},
	{answered | unanswered, running, server.AnotherListensThere},
	{answered | unanswered, running, server.AnotherHasTheName},
	{answered | unanswered, running, server.NameIsNobodys},

	{answered | unanswered, running, backend.ProtocolIsAnothers},
	{answered | unanswered, running, server.FamilyIsOff},
	{answered | unanswered, running, backend.BackendSocketIsClosed},
	{answered | unanswered, running, backend.BackendIsDenied},
	{answered | unanswered, running, backend.HttpdIsDenied},
	{answered | unanswered, running, backend.BackendHasMoved},
	{answered | unanswered, running, backend.BackendHasNoPort},
	{answered | unanswered, running, backend.BackendIsBoundAway},
	{answered | unanswered, running, backend.BackendIsUnreachable},
	{answered | unanswered, running, backend.BackendHasNoName},
	{answered | unanswered, running, backend.EveryServerIsDown},
	{answered | unanswered, running, backend.ServersAreLeftOut},
	{answered | unanswered, running, backend.BackendSpeaksNoTLS},
	{answered | unanswered, running, backend.BackendsTLSFails},
	{answered | unanswered, running, backend.BackendsHeaderIsTooBig},
	{answered | unanswered, running, backend.BackendIsSilent},

	{answered | unanswered, running, answer.NginxRedirects},
	{answered | unanswered, running, answer.NginxWantsPassword},
	{answered, running, answer.PasswordsAreUnreadable},
	{answered | unanswered, running, answer.NginxForbids},
	{answered | unanswered, running, answer.NginxLimits},
	{answered | unanswered, running, answer.NginxAnswers},
	{answered | unanswered, running, answer.PathIsNowhere},

	{answered | unanswered, running, backend.BackendIsOfAnotherFamily},
	{answered | unanswered, running, backend.BackendIsDown},
	{answered | unanswered, running, backend.BackendNeverAnswers},

	{answered | unanswered, running, backend.BackendWantsTLS},
	{answered, running, backend.BackendWantsScheme},
	{answered, running, answer.StatusIsKept},
	{answered | unanswered, running, backend.UpgradeIsNotPassedOn},
	{answered | unanswered, running, backend.HttpIsOld},
	{answered | unanswered, running, backend.PathIsChanged},
	{answered, running, backend.PathIsDoubled},
	{answered, running, backend.PrefixIsPassedOn},
	{answered, running, backend.HostIsChanged},
	{answered, running, backend.FieldIsRefused},
	{answered, running, backend.HandshakeIsChanged},
	{unlike, running, answer.AnswerIsHidden},
	{unlike, running, answer.AnswerIsAddedTo},
	{unlike, running, answer.KeyIsChanged},
	{shaken, running, backend.BackendIsNoWebSocket},
	{answered, running, backend.OriginIsRefused},
	{answered, running, backend.BackendHasNotThePath},
	{answered, running, backend.BackendRefuses},
	{answered, running, answer.CacheAnswers},
	{unanswered, running, server.NginxHangs},
	{anySituation, running, server.NginxIsOlder},
}

// Explain finds the one cause, or none.
func Explain(ctx context.Context, h *host.Host, c config.Config, s facts.Symptom) cause.Diagnosis {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	e := facts.Gather(ctx, h, c, s)
	for range mostInner {
		inner := passedInwards(ctx, e)
		if inner == nil {
			break
		}
		e = inner
	}
	return ask(ctx, e)
}

func ask(ctx context.Context, e *facts.Evidence) cause.Diagnosis {
	about := situationOf(e)
	for _, q := range questions {
		if q.about&about == 0 || !isAt(e, q.at) {
			continue
		}
		if d := q.ask(ctx, e); d != nil {
			return through(e, *d)
		}
	}
	return through(e, unexplained(ctx, e))
}

// Refused is the refusal of nginx's own that a handshake met, for want of what the site asks its clients for.
func Refused(ctx context.Context, h *host.Host, c config.Config, s facts.Symptom) (answer.Refusal, bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return answer.Refused(ctx, facts.Gather(ctx, h, c, s))
}

func situationOf(e *facts.Evidence) situation {
	var dial *handshake.DialError
	var dns *net.DNSError
	var secured *handshake.TLSError
	switch {
	case errors.As(e.Err, &dns), errors.As(e.Err, &dial):
		return unreached
	case errors.As(e.Err, &secured):
		return unsecured
	case e.Check == "no-upgrade-without-header" || e.Check == "other-host":
		return later
	case facts.StatusOf(e) != nil:
		return answered
	case facts.SilenceOf(e) != nil:
		return unanswered
	case facts.IsUnlike(e.Err):
		return unlike
	}
	return later
}

func isAt(e *facts.Evidence, at where) bool {
	local := facts.IsLocal(e)
	switch at {
	case elsewhere:
		return !local
	case beside:
		return e.Site == nil && e.Address.IsValid() && !(local && server.NginxPort(e))
	case here:
		return local
	case down:
		return local && errors.Is(e.Gone, nginx.ErrNotRunning)
	case running:
		return local && e.Gone == nil
	}
	return true
}
