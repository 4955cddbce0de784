// Package cause has the names of what keeps a WebSocket from going through, the form in which one is told, and that of
// what mends it.
package cause
