// Package server has the questions about what stands before a request: the name and the network, who listens, whether
// nginx runs and reads its files, TLS, the server block that takes the request, and what nginx has run out of.
package server
