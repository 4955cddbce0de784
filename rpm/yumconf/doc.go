// Package yumconf reads yum's configuration (yum.conf(5)): its repositories, what hides a package from it, its proxy
// and its plugins. No file is changed; Render gives the text of a repository's file.
package yumconf
