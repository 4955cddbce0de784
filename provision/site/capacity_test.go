package site

import (
	"strings"
	"testing"
)

func TestSources(t *testing.T) {
	one := func(address string, port int) Location {
		return Location{WebSocket: true, Backends: []Backend{{Host: address, Port: port}}}
	}
	two := one("10.0.0.5", 3000)
	two.Backends = append(two.Backends, Backend{Host: "10.0.0.6", Port: 3000})
	uneven := one("10.0.0.5", 3000)
	uneven.Backends = append(uneven.Backends, Backend{Host: "10.0.0.6", Port: 3000, Weight: 3})
	sticky := two
	sticky.Balance = BalanceIP
	spare := two
	spare.Backends = []Backend{two.Backends[0], {Host: "10.0.0.6", Port: 3000, Backup: true}}
	plain := one("10.0.0.5", 3000)
	plain.WebSocket = false
	for name, tt := range map[string]struct {
		of      Capacity
		l       Location
		ports   Ports
		want    int
		refused string
	}{
		"not asked":                {0, one("10.0.0.5", 3000), DefaultPorts, 0, ""},
		"one address is enough":    {28000, one("10.0.0.5", 3000), DefaultPorts, 0, ""},
		"one more is not":          {28033, one("10.0.0.5", 3000), DefaultPorts, 0, "28032"},
		"two backends":             {56000, two, DefaultPorts, 0, ""},
		"two, and one has more":    {56000, uneven, DefaultPorts, 0, "10.0.0.6:3000"},
		"two, by the client":       {30000, sticky, DefaultPorts, 0, "28032"},
		"two, one for emergencies": {30000, spare, DefaultPorts, 0, "10.0.0.5:3000"},
		"on the loopback":          {30000, one("127.0.0.1", 3000), DefaultPorts, 2, ""},
		"many on the loopback":     {500000, one("127.0.0.1", 3000), DefaultPorts, 19, ""},
		"on the loopback of IPv6":  {30000, one("::1", 3000), DefaultPorts, 0, "127.0.0.1:PORT"},
		"by a name":                {30000, one("localhost", 3000), DefaultPorts, 0, "127.0.0.1:PORT"},
		"a narrow range":           {2000, one("127.0.0.1", 3000), Ports{40000, 41199}, 3, ""},
		"a range of nothing":       {20000, one("127.0.0.1", 3000), Ports{40000, 40000}, 0, "40000 to 40000"},
		"a wide range":             {60000, one("10.0.0.5", 3000), Ports{1024, 65535}, 0, ""},
		"plain HTTP":               {500000, plain, DefaultPorts, 0, ""},
		"a UNIX socket": {500000, Location{WebSocket: true, Backends: []Backend{{Socket: "/run/a.sock"}}}, DefaultPorts,
			0, ""},
	} {
		n, err := tt.of.Sources(tt.l, tt.ports)
		if n != tt.want || (err != nil) != (tt.refused != "") ||
			err != nil && !strings.Contains(err.Error(), tt.refused) {
			t.Errorf("%s: %d, %v, want %d, %q", name, n, err, tt.want, tt.refused)
		}
	}
}
