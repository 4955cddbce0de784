// Package labels is for the labels of files where the kernel that runs gives none, as in an installer's chroot: which
// files have another label than the policy's, and how they get it, now or by the relabel of the first boot.
package labels
