// Package verify proves that WebSockets go through nginx: every location by a handshake as the last step of an apply,
// and each part of the way by itself for the command verify. It changes nothing.
package verify
