package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asterisk is an Asterisk that runs in its folder, on the guide's
// configuration.
type asterisk struct {
	root string // the Debian 11
	dir  string // the instance's own files, as seen from inside
}

// asteriskConf keeps all that the instance writes in one folder; logger.conf
// makes it write down what the tests show when they fail; modules.conf is
// Debian's.
const (
	asteriskConf = `[directories]
astetcdir => %[1]s/etc
astmoddir => /usr/lib/asterisk/modules
astvarlibdir => /var/lib/asterisk
astdbdir => %[1]s
astkeydir => /var/lib/asterisk
astdatadir => /usr/share/asterisk
astagidir => /usr/share/asterisk/agi-bin
astspooldir => %[1]s
astrundir => %[1]s
astlogdir => %[1]s
[options]
verbose = 3
`
	loggerConf  = "[general]\n[logfiles]\nfull => notice,warning,error,verbose\n"
	modulesConf = "[modules]\nautoload=yes\n"
)

// startAsterisk runs Asterisk with the files of testdata/asterisk. change, when
// not nil, makes a variant of pjsip.conf.
func startAsterisk(t *testing.T, change func(pjsip string) string) *asterisk {
	t.Helper()
	return startAsteriskOn(t, "asterisk", change)
}

// startAsteriskOn runs it with the files of another folder.
func startAsteriskOn(t *testing.T, folder string, change func(pjsip string) string) *asterisk {
	t.Helper()
	root := os.Getenv(asteriskFolder)
	if root == "" {
		t.Skip("no Asterisk here; `make interop` makes one")
	}
	outside, err := os.MkdirTemp(filepath.Join(root, "tmp"), "cordboard-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(outside) })
	a := &asterisk{root: root, dir: strings.TrimPrefix(outside, root)}
	etc := filepath.Join(outside, "etc")
	must(t, os.MkdirAll(etc, 0o755))
	write := func(name, text string) { must(t, os.WriteFile(filepath.Join(etc, name), []byte(text), 0o644)) }
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.conf"))
	must(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		text := string(b)
		if filepath.Base(f) == "pjsip.conf" && change != nil {
			text = change(text)
		}
		write(filepath.Base(f), text)
	}
	write("asterisk.conf", fmt.Sprintf(asteriskConf, a.dir))
	write("logger.conf", loggerConf)
	write("modules.conf", modulesConf)
	a.run(t)
	t.Cleanup(func() {
		if t.Failed() {
			b, _ := os.ReadFile(filepath.Join(outside, "full"))
			t.Logf("asterisk's log:\n%s", tail(string(b)))
		}
	})
	eventually(t, "Asterisk to be up", func() bool {
		out, err := a.cli("core show uptime")
		return err == nil && strings.Contains(out, "System uptime")
	})
	if out, err := a.cli("core waitfullybooted"); err != nil {
		t.Fatalf("core waitfullybooted: %v: %s", err, out)
	}
	return a
}

// run starts the program in a network namespace of its own, on the other end of
// a wire: on one host with the others, Asterisk takes their addresses for its
// own.
func (a *asterisk) run(t *testing.T) {
	t.Helper()
	script := fmt.Sprintf(`read wired && ip link set lo up && ip addr add %s/24 dev pbx && ip link set pbx up && ip route add %s dev pbx &&
exec chroot %s asterisk -f -C %s/etc/asterisk.conf`, asteriskHost, carrierHost, a.root, a.dir)
	cmd := exec.Command("unshare", "--net", "sh", "-c", script)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + a.dir}
	ready, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	// The wire would go with the namespace, but a moment after the program.
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", "pbx0").Run() })
	t.Cleanup(func() { end(cmd) })
	own, err := os.Readlink("/proc/self/ns/net")
	must(t, err)
	eventually(t, "Asterisk's namespace", func() bool {
		other, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid))
		return err == nil && other != own
	})
	wire := fmt.Sprintf(`set -e
ip link add pbx0 type veth peer name pbx netns %d
ip link set pbx0 up
ip route add %s/32 dev pbx0 src %s`, cmd.Process.Pid, asteriskHost, cordboardHost)
	if out, err := exec.Command("sh", "-c", wire).CombinedOutput(); err != nil {
		t.Fatalf("the wire to Asterisk: %v: %s", err, out)
	}
	_, err = ready.Write([]byte("\n"))
	must(t, err)
}

// cli runs a command of Asterisk's console.
func (a *asterisk) cli(command string) (string, error) {
	out, err := exec.Command("chroot", a.root, "asterisk", "-C", a.dir+"/etc/asterisk.conf", "-rx", command).CombinedOutput()
	return string(out), err
}

// reachable waits until Asterisk has the phone in its dialplan, as one that
// answers.
func (a *asterisk) reachable(t *testing.T, phone string) {
	t.Helper()
	eventually(t, "Asterisk to reach "+phone, func() bool {
		out, err := a.cli("dialplan show " + phone + "@reachable")
		return err == nil && strings.Contains(out, "'"+phone+"'")
	})
}

// end asks a process we started to end, and insists after 5 s.
func end(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = cmd.Process.Kill()
		<-done
	}
}
