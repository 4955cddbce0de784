// Package openpgp reads OpenPGP keys as rpm 4.11 of RHEL 7 does (RFC 4880): their packets, fingerprints and
// self-signatures, with the strictness that a key is judged with before rpm may import it.
package openpgp
