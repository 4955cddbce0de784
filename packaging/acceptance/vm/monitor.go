package vm

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// monitor is QEMU's control socket (QMP), used for nothing but commands of the human monitor: savevm and loadvm exist
// only there.
type monitor struct {
	conn  net.Conn
	lines *bufio.Reader
}

// dialMonitor connects to a QEMU that is just starting.
func dialMonitor(socket string, deadline time.Time) (*monitor, error) {
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			m := &monitor{conn, bufio.NewReader(conn)}
			_, err = m.execute("qmp_capabilities", map[string]string{}, deadline)
			return m, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("connect to QEMU's monitor: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// command gives a command of the human monitor and returns its answer.
func (m *monitor) command(line string) (string, error) {
	answer, err := m.execute("human-monitor-command", map[string]string{"command-line": line},
		time.Now().Add(2*time.Minute))
	if err != nil {
		return "", fmt.Errorf("qemu: %s: %w", line, err)
	}
	return answer, nil
}

// order gives a command of which silence is the only good answer: savevm and loadvm report errors as text.
func (m *monitor) order(line string) error {
	answer, err := m.command(line)
	if err == nil && answer != "" {
		err = fmt.Errorf("qemu: %s: %s", line, strings.TrimSpace(answer))
	}
	return err
}

func (m *monitor) execute(name string, arguments map[string]string, deadline time.Time) (string, error) {
	if err := m.conn.SetDeadline(deadline); err != nil {
		return "", err
	}
	if err := json.NewEncoder(m.conn).Encode(map[string]any{"execute": name, "arguments": arguments}); err != nil {
		return "", err
	}
	for {
		line, err := m.lines.ReadBytes('\n')
		if err != nil {
			return "", err
		}
		var reply struct {
			Return any
			Error  *struct{ Desc string }
		}
		if err := json.Unmarshal(line, &reply); err != nil {
			return "", fmt.Errorf("%w: %q", err, line)
		}
		switch text, isText := reply.Return.(string); {
		case reply.Error != nil:
			return "", fmt.Errorf("%s", reply.Error.Desc)
		case isText:
			return text, nil
		case reply.Return != nil:
			return "", nil
		}
		// The greeting and events come between; they are not answers.
	}
}

var forwardedPort = regexp.MustCompile(`TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+(\d+)`)

// ports returns which ports of the host QEMU chose for ports of the guest.
func (m *monitor) ports() (map[int]int, error) {
	answer, err := m.command("info usernet")
	if err != nil {
		return nil, err
	}
	ports := map[int]int{}
	for _, match := range forwardedPort.FindAllStringSubmatch(answer, -1) {
		host, _ := strconv.Atoi(match[1])
		guest, _ := strconv.Atoi(match[2])
		ports[guest] = host
	}
	if ports[22] == 0 || ports[80] == 0 {
		return nil, fmt.Errorf("qemu: info usernet: no forwarded ports in %q", answer)
	}
	return ports, nil
}
