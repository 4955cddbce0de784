//go:build diagnosis

package diagnosis

func socketRows() []row {
	const denied = "backend-socket-denied"
	at := location("/ws/", "http://unix:/srv/app/app.sock", headers)
	socket := []backend{{at: "/srv/app/app.sock", serves: echo}}
	rows := []row{
		{situation: "a socket that all may use", backends: socket, site: serves(at),
			after: "chmod 666 /srv/app/app.sock"},
		{situation: "a socket that root alone may use", backends: socket, site: serves(at),
			after: "chmod 600 /srv/app/app.sock", want: denied, cause: "/srv/app/app.sock & nginx", says: "write",
			not: "SELinux", edit: "chmod 666 /srv/app/app.sock"},
		{situation: "a socket in a directory that nginx may not enter", backends: socket, site: serves(at),
			after: "chmod 666 /srv/app/app.sock; chmod 700 /srv/app", want: denied, cause: "/srv/app",
			says: "/srv/app", edit: "chmod 711 /srv/app"},
		{situation: "a socket that is not there", backends: []backend{}, site: serves(at), want: "backend-not-running",
			cause: "/srv/app/app.sock", noMend: true},
		{situation: "a socket that nobody listens on", backends: socket, site: serves(at),
			after: "rm /srv/app/app.sock; python3 -c 'import socket; socket.socket(1).bind(\"/srv/app/app.sock\")'; " +
				"chmod 666 /srv/app/app.sock", want: "backend-not-running", cause: "/srv/app/app.sock", noMend: true},
		{situation: "a socket of an upstream", backends: socket, after: "chmod 600 /srv/app/app.sock",
			site: group("server unix:/srv/app/app.sock;") + serves(location("/ws/", "http://b", headers)), want: denied,
			edit: "chmod 666 /srv/app/app.sock"},
		{situation: "a socket, and the headers are missing", backends: socket, after: "chmod 666 /srv/app/app.sock",
			site: serves(location("/ws/", "http://unix:/srv/app/app.sock", http11)), want: "upgrade-header-missing",
			edit: insert(upgrade + connection)},
	}
	return of("Sockets of the file system", rows)
}
