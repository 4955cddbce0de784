// Package facts is what is read about one WebSocket that did not go through: files, /proc, logs, audit records, the
// request's way through nginx's configuration, and handshakes with the backends themselves. It is read once, changes
// nothing, and names no cause.
package facts
