// Package handshake asks for a WebSocket and keeps the evidence: where it is asked for, what the opening handshake
// showed, and of what kind the error is. It judges the answer by RFC 6455 with code of its own, because a library that
// only says "bad handshake" cannot tell a wrong digest from a missing header. No proxy of the environment is ever used:
// what is proved is the path to Target.Address.
package handshake
