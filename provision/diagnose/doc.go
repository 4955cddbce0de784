// Package diagnose says why a WebSocket did not go through, and only reads. It names one cause, or none and what it
// looked at: a wrong cause costs an administrator more than none. The order of the questions is in questions.go; each
// is a function of server, backend or answer, which look at facts. The causes are in cause/diagnosis.go, and the manual
// page has each.
package diagnose
