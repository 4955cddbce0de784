package firewalld

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"wsprovision/provision/hostfile"
	"wsprovision/provision/running"
)

// Offline has the same contract where no firewalld runs: there are only the files that it starts with.
type Offline struct {
	Root   string      // prefix of every path; "" is the system itself
	Change running.Run // for firewall-offline-cmd
}

// program changes the files of a firewalld that does not run.
const program = "firewall-offline-cmd"

// The configuration of an administrator goes before the package's, file by file (firewalld.dirs(5)).
var places = []string{"/etc/firewalld", "/usr/lib/firewalld"}

// mostBytes bounds a file of firewalld's. The largest service that it brings has under 2 KiB.
const mostBytes = 1 << 20

// Installed reports whether firewalld, and what changes it offline, is there.
func (o *Offline) Installed() bool {
	_, err := hostfile.Read(context.Background(), o.Root+"/usr/lib/firewalld/zones/public.xml", mostBytes)
	return err == nil
}

// DefaultZone is that of firewalld.conf; "public" where nothing is said (firewalld.conf(5)).
func (o *Offline) DefaultZone(ctx context.Context) (string, error) {
	text, err := hostfile.Read(ctx, o.Root+"/etc/firewalld/firewalld.conf", mostBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return "public", nil
	}
	if err != nil {
		return "", fmt.Errorf("read firewalld's default zone: %w", err)
	}
	zone := "public"
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "DefaultZone="); ok {
			zone = strings.TrimSpace(value)
		}
	}
	if !IsZoneName(zone) {
		return "", fmt.Errorf("read firewalld's default zone: %q is no name of a zone", zone)
	}
	return zone, nil
}

// zoneFile is a zone or a service, as far as ports go (firewalld.zone(5), firewalld.service(5)).
type zoneFile struct {
	Target   string    `xml:"target,attr"`
	Ports    []portTag `xml:"port"`
	Services []struct {
		Name string `xml:"name,attr"`
	} `xml:"service"`
}

type portTag struct {
	Port     string `xml:"port,attr"`
	Protocol string `xml:"protocol,attr"`
}

func (z zoneFile) spans() (all []Span) {
	for _, p := range z.Ports {
		if s, ok := span(p.Port, p.Protocol); ok {
			all = append(all, s)
		}
	}
	return all
}

// Zone reads the files of the zone and of its services.
func (o *Offline) Zone(ctx context.Context, zone string) (Zone, error) {
	if err := check(zone, 1); err != nil {
		return Zone{}, err
	}
	z, err := o.read(ctx, "zones/"+zone+".xml")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Zone{}, fmt.Errorf("zone %s: %w", zone, ErrNoZone)
	case err != nil:
		return Zone{}, fmt.Errorf("read the zone %s of firewalld: %w", zone, err)
	}
	a := Admits{All: z.Target == "ACCEPT", Ports: z.spans()}
	for _, s := range z.Services {
		if strings.ContainsAny(s.Name, "/\x00") {
			continue
		}
		if service, err := o.read(ctx, "services/"+s.Name+".xml"); err == nil {
			a.Services = append(a.Services, service.spans()...)
		}
	}
	return Zone{Permanent: a}, nil
}

func (o *Offline) read(ctx context.Context, name string) (z zoneFile, err error) {
	for _, dir := range places {
		var text []byte
		text, err = hostfile.Read(ctx, o.Root+dir+"/"+name, mostBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return z, err
		}
		if err := xml.Unmarshal(text, &z); err != nil {
			return z, fmt.Errorf("%s/%s: %w", dir, name, err)
		}
		return z, nil
	}
	return z, err
}

// Bound cannot be told where nothing runs.
func (o *Offline) Bound(context.Context) ([]string, error) { return nil, nil }

// Open writes the zone's file anew, and reads that back: firewall-offline-cmd exits 0 for what it only warns of.
func (o *Offline) Open(ctx context.Context, in Place, zone string, port int) error {
	return o.change(ctx, in, zone, port, true)
}

// Shut takes the port out of the zone's file.
func (o *Offline) Shut(ctx context.Context, in Place, zone string, port int) error {
	return o.change(ctx, in, zone, port, false)
}

func (o *Offline) change(ctx context.Context, in Place, zone string, port int, open bool) error {
	if in != Permanent {
		return errNotRunning
	}
	if err := check(zone, port); err != nil {
		return err
	}
	option, what := "--remove-port", "shut"
	if open {
		option, what = "--add-port", "open"
	}
	_, stderr, status, err := o.Change(ctx, "", program, "--zone="+zone, fmt.Sprintf("%s=%d/tcp", option, port))
	if err != nil {
		return fmt.Errorf("%s port %d in the zone %s: %w", what, port, zone, err)
	}
	if status != 0 {
		return fmt.Errorf("%s port %d in the zone %s: %s: exit status %d: %s", what, port, zone, program, status,
			lastLine(stderr))
	}
	z, err := o.Zone(ctx, zone)
	if err == nil && z.Permanent.Lists(port) != open {
		err = fmt.Errorf("%s exits 0, and the zone's file is as before", program)
	}
	if err != nil {
		return fmt.Errorf("%s port %d in the zone %s: %w", what, port, zone, err)
	}
	return nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// Close has nothing to close.
func (o *Offline) Close() error { return nil }
