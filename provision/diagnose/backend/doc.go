// Package backend has the questions about the way from nginx to the backend: whether it listens, SELinux, TLS to it,
// the fields that nginx sends, and what the backend itself answers.
package backend
