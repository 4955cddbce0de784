// Package answer has the questions about what nginx answers by itself, and about what happens after the handshake.
package answer
