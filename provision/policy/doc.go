// Package policy is for what SELinux's policy has to allow nginx: the boolean that lets it connect and the port types
// of the backends, brought about in one transaction of semanage and read back.
package policy
