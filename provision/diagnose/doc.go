// Package diagnose says why a WebSocket did not go through, and only reads: files, /proc, SELinux's policy, logs, nginx
// -t, and handshakes with the backend itself. It names one cause, or none and what it looked at: a wrong cause costs an
// administrator more than none. The causes are in diagnosis.go, and the manual page has each.
package diagnose
