package vm

// NotRHEL says what the machine is, wherever something that was proved on it is shown. MACHINE.md has the table.
const NotRHEL = `The machine is not RHEL 7: it is Debian 12 dressed as CentOS 7 (kernel 6.1, systemd 252, nginx ` +
	`1.22, dnf in
yum's place, Debian's SELinux policy). packaging/acceptance/MACHINE.md says what is real and what stands in.
`
