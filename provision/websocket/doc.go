// Package websocket proves that a WebSocket goes through: the checks of verify, an interactive client, a load that is
// measured, and an echo backend.
//
// It knows RFC 6455 and nothing of the host: no nginx, no SELinux, no systemd. The opening handshake is package
// handshake's; frames are coder/websocket's.
package websocket
