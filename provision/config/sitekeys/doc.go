// Package sitekeys is for a site as the configuration file has it: its keys with all that is said of them, what holds
// where a key is left out, and what does not go together.
package sitekeys
