// Package proxy is for nginx's files and the running nginx, and keeps the two in step: the files of the sites, the
// candidate that is tested before any of them is written, and nginx.service, which takes them by a reload that is
// proved.
package proxy
