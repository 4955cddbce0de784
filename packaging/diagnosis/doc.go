// Package diagnosis proves what verify says of a WebSocket that does not go through: each situation that people report
// is brought about with a real nginx, the cause that verify names is compared with the true one, the mend is carried
// out as it is written, and verify is ok after it.
//
// Its tests have the tag diagnosis (make diagnoses). Every case runs in namespaces of its own: its files are on file
// systems in memory, everything of the machine's is read-only there, and its ports, addresses and processes are its
// own. What needs SELinux or systemd has its row in TestDiagnosis of packaging/acceptance.
package diagnosis
