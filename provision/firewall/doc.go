// Package firewall is for letting in, through firewalld, the ports that the sites listen on: only where somebody asks
// for it, in the zone that was named, and with every opening in the ledger, so that it can be shut again.
package firewall
