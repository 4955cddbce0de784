// Package support is for one archive from which somebody else can tell what is wrong with a host: reports,
// configuration, what nginx reads, labels, denials, units, versions. It only reads, leaves secrets behind, is bounded
// in bytes and in time, and says what it could not get: the host may be broken.
package support
