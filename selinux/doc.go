// Package selinux is for knowing what SELinux says on a host about mode, booleans, ports and file labels, without
// running a program where files answer, and for changing it in one semanage transaction.
//
// Four sources are read, and what each says is kept apart:
//
//   - selinuxfs: what the kernel enforces now (mode, booleans, the loaded policy, one access decision);
//   - policy/policy.NN: what the next boot will load. semanage compiles its local records into it, so its portcons and
//     the booleans' defaults are what the store gives;
//   - ports.local and booleans.local in the store: what an administrator, or this agent, asked for;
//   - contexts/files: the labels that a path should have.
//
// Where a source cannot be read, or says something this package does not understand, the answer is an error that wraps
// [ErrUnknown], or Unknown; never a guess. In an installer's chroot selinuxfs is the installer's: set [Host.Offline].
package selinux
