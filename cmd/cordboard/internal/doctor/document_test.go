package doctor

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cordboard/cordboard/configs"
)

// centre writes a routing document whose agents have these telephones.
func centre(t *testing.T, more string, phones ...string) *configs.Server {
	t.Helper()
	text := "cordboard: routing/1\nname: Office\nzone: Europe/London\nqueues: {main: " + more + "}\nroute: {queue: main}\nagents:\n"
	for i, p := range phones {
		text += fmt.Sprintf("  agent%d: {name: Agent %d, phone: %q}\n", i, i, p)
	}
	path := filepath.Join(t.TempDir(), "centre.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &configs.Server{Routes: path, SIP: configs.SIP{Listen: []configs.Listen{{Transport: "udp"}}, Registrar: &configs.Registrar{}}}
}

// Telephones that answer, that say that nobody is there, and that are silent; those
// that register are not asked.
func TestPhones(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	well, gone := kamailio(t, 200, ""), kamailio(t, 480, "")
	p := Patient{Server: centre(t, "", "sip:anna@"+well, "sip:ben@"+well+";transport=tcp", "registered")}
	var lines []Line
	for range 1000 { // Kamailio is there a moment after its start
		if lines = phones(t.Context(), p); len(lines) > 0 && lines[0].Verdict == OK {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	is(t, lines, OK, "phones", "2 of 2 telephones with an address answer OPTIONS; 1 register here and are not asked")
	p.Server = centre(t, "", "sip:anna@"+well, "sip:ben@"+gone, "sip:cleo@"+silent.LocalAddr().String())
	is(t, phones(t.Context(), p), Warn, "phones", "1 of 3 telephones with an address answer OPTIONS; silent: agent1 (480 As told), agent2 (nothing came back)")
}

// Sound files that can't be read, and sounds that the document names and that are not
// there.
func TestSounds(t *testing.T) {
	t.Parallel()
	p := Patient{Server: centre(t, "{music: default}", "sip:anna@192.0.2.1")}
	is(t, sounds(t.Context(), p), OK, "media.sounds", "sounds can be read")
	p.Server = centre(t, "{music: waltz}", "sip:anna@192.0.2.1")
	is(t, sounds(t.Context(), p), Fail, "media.sounds", "sound does not exist")
	p.Server.Media.Sounds = t.TempDir()
	for _, name := range []string{"waltz.wav", "polka.wav"} {
		if err := os.WriteFile(filepath.Join(p.Server.Media.Sounds, name), []byte("RIFF no sound"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if lines := sounds(t.Context(), p); len(lines) != 2 || Worst(lines) != Fail {
		t.Errorf("%+v", lines)
	}
	p.Server.Media.Sounds, p.Server.Routes = "", filepath.Join(t.TempDir(), "none.yaml")
	is(t, sounds(t.Context(), p), Fail, "routing", "no such file")
}
