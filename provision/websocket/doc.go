// Package websocket proves that a WebSocket goes through: a handshake prober whose errors keep the evidence, the
// checks of verify, an interactive client, and an echo backend.
//
// It knows RFC 6455 and nothing of the host: no nginx, no SELinux, no systemd. The handshake is read and judged by
// code of its own, because a library that only says "bad handshake" cannot tell a wrong digest from a missing header;
// frames are coder/websocket's. No proxy of the environment is ever used: what is proved is the path to Target.Address.
package websocket
