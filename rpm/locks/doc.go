// Package locks says who holds the locks of rpm and yum, from /proc and from yum's pid file, and whether the agent
// itself was started from within a transaction.
package locks
