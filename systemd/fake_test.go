package systemd

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// fake answers like PID 1 of RHEL 7, on a socket of its own: as a bus (Hello, AddMatch) and as the private socket.
// It knows the calls below and answers UnknownMethod to all others.
type fake struct {
	t      *testing.T
	addr   string
	ln     net.Listener
	served sync.WaitGroup
	once   sync.Once

	mu         sync.Mutex
	calls      []string // "Method(arguments)" of the manager, and the properties asked for
	clients    map[*client]bool
	subscribed map[*client]bool
	jobs       uint32

	// What it has and how it behaves; a test changes it by set once somebody is connected.
	world      sync.Mutex
	units      map[string]*fakeUnit
	ancient    bool              // 208: the end of a job goes to its creator alone, unless somebody subscribed
	result     map[string]string // by method: the job's result
	fail       map[string]dbus.Error
	early      bool          // the job's end comes before the method's reply
	delay      time.Duration // before the job's end
	never      bool          // no job ends
	drop       string        // "calls" or "all": connections to close in the middle of a job
	mute       string        // a method that is never answered
	noHello    bool          // accepts, authenticates, says no more
	deaf       bool          // accepts and says nothing at all
	versionErr bool          // a bus without PID 1 on it
	version    string
}

type fakeUnit struct {
	load, active, file       string
	afterReload, startActive string // load state after a daemon-reload; active state after a start
	needReload, canReload    bool
	condition                *bool
	pid                      uint32
	result                   string
	exec                     map[string][]execCommand
}

// execCommand is D-Bus type (sasbttttuii).
type execCommand struct {
	Path    string
	Argv    []string
	Ignore  bool
	A, B    uint64
	C, D    uint64
	PID     uint32
	Code    int32
	Status_ int32
}

type client struct {
	conn  net.Conn
	mu    sync.Mutex
	order int // 1 is the connection for calls, 2 the one for signals
}

func newFake(t *testing.T) *fake {
	t.Helper()
	dir, err := os.MkdirTemp("", "sd") // a socket's path has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{t: t, addr: filepath.Join(dir, "s"), clients: map[*client]bool{}, subscribed: map[*client]bool{},
		version: "219",
		result:  map[string]string{}, fail: map[string]dbus.Error{}, units: map[string]*fakeUnit{
			"nginx.service": {load: "loaded", active: "active", file: "enabled", canReload: true, pid: 812,
				result: "success"},
		}}
	ln, err := net.Listen("unix", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	f.ln = ln
	t.Cleanup(func() {
		_ = ln.Close()
		f.hangUp(0)
		f.served.Wait()
		_ = os.RemoveAll(dir)
	})
	return f
}

// accept serves until the listener is closed.
func (f *fake) accept() {
	for n := 1; ; n++ {
		conn, err := f.ln.Accept()
		if err != nil {
			return
		}
		c := &client{conn: conn, order: n}
		f.mu.Lock()
		f.clients[c] = true
		f.mu.Unlock()
		f.served.Go(func() { f.serve(c) })
	}
}

// way leads to the fake, which begins to serve: from here on it is changed by set only.
func (f *fake) way(name string, bus bool) transport {
	f.once.Do(func() { f.served.Go(f.accept) })
	return transport{name: name, address: "unix:path=" + f.addr, bus: bus, wait: 5 * time.Second}
}

// hangUp closes the connection of this order, or all.
func (f *fake) hangUp(order int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.clients {
		if order == 0 || c.order == order {
			_ = c.conn.Close()
			delete(f.clients, c)
		}
	}
}

func (f *fake) set(change func()) {
	f.world.Lock()
	defer f.world.Unlock()
	change()
}

func (f *fake) record(call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
}

// changes are the recorded calls that change something.
func (f *fake) changes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []string
	for _, c := range f.calls {
		if !strings.HasPrefix(c, "Get") && !strings.HasPrefix(c, "Subscribe") && c != "Hello" && c != "AddMatch" {
			list = append(list, c)
		}
	}
	return list
}

func (f *fake) serve(c *client) {
	defer c.conn.Close()
	if f.deaf {
		_, _ = io.Copy(io.Discard, c.conn)
		return
	}
	in := bufio.NewReader(c.conn)
	if err := authenticate(in, c.conn); err != nil {
		return
	}
	for {
		msg, err := dbus.DecodeMessage(in)
		if err != nil {
			return
		}
		f.handle(c, msg)
	}
}

// authenticate is the server's side of the D-Bus specification's "Authentication Protocol", EXTERNAL only.
func authenticate(in *bufio.Reader, out net.Conn) error {
	if _, err := in.ReadByte(); err != nil {
		return err
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		reply := "ERROR\r\n"
		switch word := strings.Fields(line); {
		case len(word) == 0:
		case word[0] == "BEGIN":
			return nil
		case word[0] == "AUTH" && len(word) == 1:
			reply = "REJECTED EXTERNAL\r\n"
		case word[0] == "AUTH" && len(word) == 2:
			reply = "DATA\r\n"
		case word[0] == "AUTH", word[0] == "DATA":
			reply = "OK 0123456789abcdef0123456789abcdef\r\n"
		}
		if _, err := out.Write([]byte(reply)); err != nil {
			return err
		}
	}
}

func (c *client) send(t dbus.Type, serial uint32, headers map[dbus.HeaderField]dbus.Variant, body ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	msg := &dbus.Message{Type: t, Flags: dbus.FlagNoReplyExpected, Headers: headers, Body: body}
	if len(body) > 0 {
		headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(body...))
	}
	// A message's own serial is not exported; the receiver here never looks at it, but 0 is not valid.
	_ = msg.EncodeTo(&withSerial{c.conn, serial}, binary.LittleEndian)
}

// withSerial writes a serial number at its place in the fixed header, bytes 8 to 11.
type withSerial struct {
	conn   net.Conn
	serial uint32
}

func (w *withSerial) Write(p []byte) (int, error) {
	p = append([]byte(nil), p...)
	if len(p) >= 12 {
		binary.LittleEndian.PutUint32(p[8:], w.serial+1)
	}
	return w.conn.Write(p)
}

func (c *client) reply(to *dbus.Message, body ...any) {
	c.send(dbus.TypeMethodReply, to.Serial(),
		map[dbus.HeaderField]dbus.Variant{dbus.FieldReplySerial: dbus.MakeVariant(to.Serial())}, body...)
}

func (c *client) error(to *dbus.Message, e dbus.Error) {
	c.send(dbus.TypeError, to.Serial(), map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(to.Serial()), dbus.FieldErrorName: dbus.MakeVariant(e.Name)}, e.Body...)
}

func header(msg *dbus.Message, f dbus.HeaderField) string {
	return fmt.Sprint(msg.Headers[f].Value())
}

func (f *fake) handle(c *client, msg *dbus.Message) {
	method := header(msg, dbus.FieldMember)
	call := method
	if iface := header(msg, dbus.FieldInterface); strings.HasPrefix(iface, destination) {
		call = fmt.Sprintf("%s%v", method, msg.Body)
	}
	f.record(call)
	f.world.Lock()
	defer f.world.Unlock()
	if f.noHello || f.mute == method {
		return
	}
	if e, ok := f.fail[method]; ok {
		c.error(msg, e)
		return
	}
	switch method {
	case "Hello":
		c.reply(msg, fmt.Sprintf(":1.%d", c.order))
	case "AddMatch":
		c.reply(msg)
	case "Subscribe":
		f.mu.Lock()
		f.subscribed[c] = true
		f.mu.Unlock()
		c.reply(msg)
	case "Get":
		f.get(c, msg)
	case "GetAll":
		f.getAll(c, msg)
	case "GetUnitFileState":
		f.fileState(c, msg)
	case "EnableUnitFiles", "DisableUnitFiles":
		f.link(c, msg, method)
	case "Reload":
		for _, u := range f.units {
			u.needReload = false
			if u.afterReload != "" {
				u.load = u.afterReload
			}
		}
		c.reply(msg)
	case "ResetFailedUnit":
		if u := f.units[msg.Body[0].(string)]; u != nil {
			u.active = "inactive"
			c.reply(msg)
			return
		}
		c.error(msg, *dbus.NewError("org.freedesktop.systemd1.NoSuchUnit", []any{"Unit not loaded."}))
	case "StartUnit", "ReloadUnit":
		f.job(c, msg, method)
	default:
		c.error(msg, *dbus.NewError("org.freedesktop.DBus.Error.UnknownMethod",
			[]any{"Unknown method '" + method + "'."}))
	}
}

func (f *fake) unit(msg *dbus.Message) (*fakeUnit, string) {
	name := header(msg, dbus.FieldPath)
	name = strings.ReplaceAll(name[strings.LastIndex(name, "/")+1:], "_2e", ".")
	name = strings.ReplaceAll(name, "_2d", "-")
	if u := f.units[name]; u != nil {
		return u, name
	}
	return &fakeUnit{load: "not-found", active: "inactive"}, name
}

func (f *fake) get(c *client, msg *dbus.Message) {
	prop := msg.Body[1].(string)
	u, _ := f.unit(msg)
	switch {
	case prop == "Version" && f.versionErr:
		c.error(msg, *dbus.NewError("org.freedesktop.DBus.Error.ServiceUnknown",
			[]any{"The name org.freedesktop.systemd1 was not provided by any .service files"}))
	case prop == "Version":
		c.reply(msg, dbus.MakeVariant(f.version))
	case prop == "ConditionResult" && u.condition != nil:
		c.reply(msg, dbus.MakeVariant(*u.condition))
	case prop == "ConditionResult":
		c.reply(msg, dbus.MakeVariant(true))
	default:
		c.error(msg, *dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", []any{prop}))
	}
}

func (f *fake) getAll(c *client, msg *dbus.Message) {
	u, _ := f.unit(msg)
	props := map[string]dbus.Variant{}
	if strings.HasSuffix(msg.Body[0].(string), ".Service") {
		props["MainPID"], props["Result"] = dbus.MakeVariant(u.pid), dbus.MakeVariant(u.result)
		for _, kind := range []string{"ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload"} {
			list := u.exec[kind]
			if list == nil {
				list = []execCommand{}
			}
			props[kind] = dbus.MakeVariant(list)
		}
		c.reply(msg, props)
		return
	}
	sub := map[string]string{"active": "running", "inactive": "dead", "failed": "failed"}[u.active]
	props["LoadState"], props["ActiveState"], props["SubState"] = dbus.MakeVariant(u.load), dbus.MakeVariant(u.active),
		dbus.MakeVariant(sub)
	props["CanReload"], props["NeedDaemonReload"] = dbus.MakeVariant(u.canReload), dbus.MakeVariant(u.needReload)
	props["UnitFileState"] = dbus.MakeVariant("stale")
	c.reply(msg, props)
}

func (f *fake) fileState(c *client, msg *dbus.Message) {
	u := f.units[msg.Body[0].(string)]
	if u == nil || u.file == "" {
		c.error(msg, *dbus.NewError("org.freedesktop.DBus.Error.FileNotFound", []any{"No such file or directory"}))
		return
	}
	c.reply(msg, u.file)
}

func (f *fake) link(c *client, msg *dbus.Message, method string) {
	type change struct{ Type, File, Destination string }
	u := f.units[msg.Body[0].([]string)[0]]
	if u == nil {
		c.error(msg, *dbus.NewError("org.freedesktop.DBus.Error.FileNotFound", []any{"No such file or directory"}))
		return
	}
	if u.file == "enabled" || u.file == "disabled" {
		u.file = map[string]string{"EnableUnitFiles": "enabled", "DisableUnitFiles": "disabled"}[method]
	}
	if method == "EnableUnitFiles" {
		c.reply(msg, u.file == "enabled",
			[]change{{"symlink", "/etc/systemd/system/multi-user.target.wants/x", "/usr/lib/systemd/system/x"}})
		return
	}
	c.reply(msg, []change{})
}

func (f *fake) job(c *client, msg *dbus.Message, method string) {
	f.mu.Lock()
	f.jobs++
	id := f.jobs
	f.mu.Unlock()
	path := dbus.ObjectPath(fmt.Sprintf("/org/freedesktop/systemd1/job/%d", id))
	unit := msg.Body[0].(string)
	result, ok := f.result[method]
	if !ok {
		result = "done"
	}
	if u := f.units[unit]; u != nil && method == "StartUnit" && u.startActive != "" {
		u.active = u.startActive
	}
	if f.early {
		f.removed(c, id, path, unit, result)
		time.Sleep(20 * time.Millisecond)
	}
	c.reply(msg, path)
	switch {
	case f.early, f.never:
	case f.drop == "all":
		f.hangUp(0)
	case f.drop == "signals":
		f.hangUp(2)
	default:
		time.AfterFunc(f.delay, func() { f.removed(c, id, path, unit, result) })
	}
}

func (f *fake) removed(creator *client, id uint32, path dbus.ObjectPath, unit, result string) {
	f.mu.Lock()
	var to []*client
	for c := range f.clients {
		if !f.ancient || len(f.subscribed) > 0 || c == creator {
			to = append(to, c)
		}
	}
	f.mu.Unlock()
	for _, c := range to {
		c.send(dbus.TypeSignal, 1000+id, map[dbus.HeaderField]dbus.Variant{
			dbus.FieldPath:      dbus.MakeVariant(dbus.ObjectPath("/org/freedesktop/systemd1")),
			dbus.FieldInterface: dbus.MakeVariant(manager),
			dbus.FieldMember:    dbus.MakeVariant("JobRemoved"),
		}, id, path, unit, result)
	}
}
