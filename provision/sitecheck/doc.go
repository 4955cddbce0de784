// Package sitecheck is for what is wrong with the sites that are asked for, or follows from them, and this host alone
// can tell before nginx is asked: the files that they name, the names of their backends, what their keys mean together.
package sitecheck
