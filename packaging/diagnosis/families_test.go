//go:build diagnosis

package diagnosis

func familyRows() []row {
	const off = "address-family-off"
	both := "127.0.0.1 localhost ws.example.com\n::1 localhost\n"
	sysctl := "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6"
	v4only := "sed -i '/\\[::\\]:80/d' /etc/nginx/nginx.conf"
	rows := []row{
		{situation: "a kernel without IPv6, proxy_pass to [::1]", noIPv6: true, before: v4only,
			site: serves(location("/ws/", "http://[::1]:3000", headers)), want: off, says: "127.0.0.1:3000",
			edit: sed("s/.::1.:3000/127.0.0.1:3000/"), not: "TIME_WAIT"},
		{situation: "a kernel without IPv6, and a name with an IPv6 address only", noIPv6: true, before: v4only,
			hosts: "127.0.0.1 localhost ws.example.com\n::1 app\n",
			site:  serves(location("/ws/", "http://app:3000", headers)), want: off,
			edit: sed("s/app:3000/127.0.0.1:3000/")},
		{situation: "a kernel without IPv6, and EPEL's listen [::]:80", noIPv6: true, site: serves(passes(headers)),
			want: off, says: "/etc/nginx/nginx.conf", cause: "[::]:80", edit: v4only},
		{situation: "IPv6 is off by sysctl, proxy_pass to [::1]", before: sysctl,
			site: serves(location("/ws/", "http://[::1]:3000", headers)), want: off, says: "127.0.0.1:3000",
			edit: sed("s/.::1.:3000/127.0.0.1:3000/"), not: "TIME_WAIT & no local port"},
		{situation: "IPv6 is off by sysctl, and a name with an IPv6 address only", before: sysctl,
			hosts: "127.0.0.1 localhost ws.example.com\n::1 app\n",
			site:  serves(location("/ws/", "http://app:3000", headers)), want: off,
			edit: sed("s/app:3000/127.0.0.1:3000/"), not: "TIME_WAIT"},
		{situation: "IPv6 is off by sysctl, localhost is two addresses, and the headers are missing", before: sysctl,
			hosts: both, site: serves(location("/ws/", "http://localhost:3000", http11)),
			want: "upgrade-header-missing", edit: insert(upgrade + connection)},
		{situation: "no local port is free", before: "echo 50000 50039 >/proc/sys/net/ipv4/ip_local_port_range",
			site: serves(passes(headers)),
			after: "python3 -c 'import socket, time\nheld = []\ntry:\n while 1: " +
				"held.append(socket.create_connection((\"127.0.0.1\", 3000)))\nexcept OSError: time.sleep(28)' " +
				">/dev/null 2>&1 & " + sockets("40", "3000"),
			want: "ports-exhausted", proof: "50000 50039", says: "ss -tnp", edit: "pkill -x python3; sleep 1.5"},
	}
	return of("Families of addresses, and ports", rows)
}
