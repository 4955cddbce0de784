package vm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// Hardware is what a machine is started with. The zero value is the machine that snapshots are taken of; a snapshot is
// restored only into the hardware it was taken from.
type Hardware struct {
	Disk   string   // the system's disk (qcow2 over the image); empty for a new one
	More   []string // further disks (qcow2): /dev/vdb and so on
	Kernel string   // further kernel arguments: enforcing=0, or lsm=lockdown for a kernel without SELinux
	Memory int      // MiB; 0 is 2048
}

// qemu is one running process of QEMU.
type qemu struct {
	monitor *monitor
	ports   map[int]int // of the host, by the guest's
	process *os.Process
	ended   chan struct{}
}

// startQEMU starts a machine in dir, from its disk's snapshot if one is named, else from power-on.
func startQEMU(img Image, dir string, hw Hardware, snapshot string) (*qemu, error) {
	control := filepath.Join(dir, "control")
	if err := os.RemoveAll(control); err != nil {
		return nil, err
	}
	arguments := []string{img.dir, hw.Disk, control, filepath.Join(dir, "console")}
	for _, disk := range hw.More {
		arguments = append(arguments, "-drive", "format=qcow2,if=virtio,cache=unsafe,file="+disk)
	}
	if snapshot != "" {
		arguments = append(arguments, "-loadvm", snapshot)
	}
	command := exec.Command(filepath.Join(img.recipe, "qemu.sh"), arguments...)
	command.Env = append(os.Environ(), "APPEND="+hw.Kernel)
	if hw.Memory != 0 {
		command.Env = append(command.Env, "MEMORY="+strconv.Itoa(hw.Memory))
	}
	log, err := os.Create(filepath.Join(dir, "qemu.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log

	q := &qemu{ended: make(chan struct{})}
	if err := q.launch(command); err != nil {
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	if err := q.attach(control); err != nil {
		q.kill()
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%w\n%s", err, said)
	}
	return q, nil
}

// launch starts the process and reaps it when it ends. The kernel kills it when the thread that started it ends, which
// must therefore be one that lives as long as the process: else a killed test run would leave machines behind.
func (q *qemu) launch(command *exec.Cmd) error {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		q.process = command.Process
		started <- err
		if err == nil {
			_ = command.Wait() // how a machine's process ends is of no interest: it is killed
			close(q.ended)
		}
	}()
	return <-started
}

func (q *qemu) attach(control string) (err error) {
	if q.monitor, err = dialMonitor(control, time.Now().Add(20*time.Second)); err != nil {
		return err
	}
	q.ports, err = q.monitor.ports()
	return err
}

// kill is a power cut: what the guest had not written to its disk is lost. It returns when the process is gone.
func (q *qemu) kill() {
	_ = q.process.Kill() // fails only if it has ended already
	<-q.ended
	if q.monitor != nil {
		q.monitor.conn.Close()
	}
}

// alive tells whether the process still runs; a guest that powers off ends it.
func (q *qemu) alive() bool {
	select {
	case <-q.ended:
		return false
	default:
		return true
	}
}
