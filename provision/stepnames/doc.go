// Package stepnames is for the names that reports give to the steps. They are read by other people's programs and never
// change.
package stepnames
