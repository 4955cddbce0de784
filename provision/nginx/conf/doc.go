// Package conf reads a configuration of nginx as nginx itself would: its files, its statements, the servers and sockets
// in them, what of one site collides with the rest, and which files nginx opens. It changes nothing and runs nothing.
package conf
