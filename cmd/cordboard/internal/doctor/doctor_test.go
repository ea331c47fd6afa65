package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/locate/dnstest"
	"github.com/cordboard/cordboard/store"
)

// is sees that a look came to one line, of a verdict and with the words.
func is(t *testing.T, lines []Line, verdict, of, says string) {
	t.Helper()
	for _, l := range lines {
		if l.Of == of {
			if l.Verdict != verdict || !strings.Contains(l.Says, says) || l.Verdict == Fail && l.Do == "" {
				t.Errorf("%+v, want %s with %q", l, verdict, says)
			}
			return
		}
	}
	t.Errorf("nothing is said of %s: %+v", of, lines)
}

// issue writes a certificate for names that ends at a time, and its key.
func issue(t *testing.T, ends time.Time, names ...string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "desk"}, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: ends, DNSNames: names}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "c.pem"), filepath.Join(t.TempDir(), "k.pem")
	for path, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	year := time.Now().AddDate(1, 0, 0)
	expired, expiredKey := issue(t, time.Now().AddDate(0, 0, -2), "desk.example.com")
	good, goodKey := issue(t, year, "desk.example.com")
	nameless, namelessKey := issue(t, year)
	ending, endingKey := issue(t, time.Now().AddDate(0, 0, 5), "desk.example.com")
	for name, c := range map[string]struct{ cert, key, host, verdict, says string }{
		"expired":      {expired, expiredKey, "", Fail, "has expired on"},
		"another key":  {good, expiredKey, "", Fail, "private key does not match"},
		"no file":      {good + ".none", goodKey, "", Fail, "no such file"},
		"no name":      {nameless, namelessKey, "", Fail, "names no host"},
		"another host": {good, goodKey, "sip.example.net", Warn, "sip.example.net"},
		"ends soon":    {ending, endingKey, "desk.example.com", Warn, "ends in 4 days"},
		"its own":      {good, goodKey, "0.0.0.0", Warn, "this machine would not trust it"},
	} {
		if l := certificate("web.tls", c.cert, c.key, c.host); l.Verdict != c.verdict || !strings.Contains(l.Says, c.says) || l.Do == "" {
			t.Errorf("%s: %+v", name, l)
		}
	}
	if l := roots("sip.tls.ca", goodKey); l.Verdict != Fail || !strings.Contains(l.Says, "no certificate in it") {
		t.Errorf("roots: %+v", l)
	}
}

func TestPorts(t *testing.T) {
	t.Parallel()
	taken, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := taken.LocalAddr().(*net.UDPAddr).AddrPort() //nolint:errorlint // no error
	p := Patient{Server: &configs.Server{
		SIP: configs.SIP{Listen: []configs.Listen{{Transport: "udp", Addr: at}, {Transport: "tcp", Addr: netip.MustParseAddrPort("192.0.2.1:5060")}}, MaxCalls: 1},
		Web: configs.Web{Listen: "127.0.0.1:0"}, Media: configs.Media{Addr: at.Addr()},
	}}
	p.Server.Media.PortMin = at.Port() &^ 1
	p.Server.Media.PortMax = p.Server.Media.PortMin + 1
	lines := ports(t.Context(), p)
	is(t, lines, Fail, "sip.listen[0]", "is held by another program")
	is(t, lines, Fail, "sip.listen[1]", "is no address of this machine")
	is(t, lines, OK, "web.listen", "is free")
	is(t, lines, Fail, "media.ports", "0 of 1 pairs")
	p.Running = true
	lines = ports(t.Context(), p)
	is(t, lines, OK, "sip.listen[0]", "is held, and the server runs")
	is(t, lines, OK, "media.ports", "not tried")
}

func TestNamesAndLimits(t *testing.T) {
	t.Parallel()
	p := Patient{Server: &configs.Server{SIP: configs.SIP{Advertise: "nowhere.invalid", MaxCalls: 1 << 40,
		Trunks: []configs.Trunk{{Name: "carrier", Out: &configs.Out{Host: "nowhere.invalid", Transport: "udp"}}, {Name: "pbx"}}}}}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	lines := names(ctx, p)
	is(t, lines, Fail, "sip.advertise", "the name nowhere.invalid has no address")
	is(t, lines, Fail, "sip.trunks.carrier.out", "the name nowhere.invalid has no address")
	is(t, limits(ctx, p), Fail, "descriptors", "needs some")
	p.Server.SIP.MaxCalls = 1
	is(t, limits(ctx, p), OK, "descriptors", "needs some 514")
	if l := kept(false, 0); l.Verdict != Warn {
		t.Errorf("a clock that nobody keeps: %+v", l)
	}
	if l := kept(true, 2*time.Second); l.Verdict != Warn {
		t.Errorf("a clock that is off: %+v", l)
	}
}

func TestDatabaseAndDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := store.Options{Path: filepath.Join(dir, "cordboard.db")}
	p := Patient{Server: &configs.Server{Store: configs.Store{Journal: filepath.Join(dir, "none", "yet")}}, Store: func() (store.Options, error) { return o, nil }}
	is(t, database(t.Context(), p), OK, "store", "is made at the first start")
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	is(t, database(t.Context(), p), OK, "store", "opened and answered in") // beside who has it open
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	is(t, database(t.Context(), p), Fail, "store", "the database has schema 9999, this program knows")
	if _, err := db.Exec("DELETE FROM goose_db_version WHERE version_id > 3"); err != nil {
		t.Fatal(err)
	}
	is(t, database(t.Context(), p), Warn, "store", "the database has schema 3, this program needs")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	o = store.Options{Postgres: "postgres://nobody@127.0.0.1:1/none?connect_timeout=2"}
	is(t, database(t.Context(), p), Fail, "store", "the database does not answer")
	if l := disk(t.Context(), p)[0]; l.Verdict == Fail || !strings.Contains(l.Says, "a write is safe in") {
		t.Errorf("the disk: %+v", l)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "doctor-*")); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v behind", left)
	}
	p.Server.Store.Journal = "/proc/1"
	is(t, disk(t.Context(), p), Fail, "store.journal", "/proc/1")
}

// kamailio runs one that answers OPTIONS with a code, after what asks lets by.
func kamailio(t *testing.T, code int, asks string) (at string) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at = c.LocalAddr().String()
	_ = c.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "kamailio.cfg")
	text := fmt.Sprintf("#!KAMAILIO\ndebug=0\nlog_stderror=yes\nfork=yes\nchildren=1\ntcp_children=1\nauto_aliases=no\nlisten=udp:%s\nlisten=tcp:%s\n"+
		"mpath=\"/usr/lib/x86_64-linux-gnu/kamailio/modules/\"\nloadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule \"textops.so\"\nloadmodule \"auth.so\"\n"+
		"modparam(\"auth\", \"algorithm\", \"SHA-256\")\nmodparam(\"auth\", \"qop\", \"auth\")\nrequest_route { %s append_to_reply(\"Allow: INVITE, BYE\\r\\n\"); sl_send_reply(\"%d\",\"As told\"); }\n", at, at, asks, code)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("kamailio", "-f", config, "-DD", "-E", "-m", "32", "-M", "4", "-Y", dir)
	var out strings.Builder
	cmd.Stderr, cmd.Stdout = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	})
	return at
}

// A PBX that tells of its telephones' calls, one that has no hint, one without dialog
// events, and one that wants a password first.
func TestTelephones(t *testing.T) {
	t.Parallel()
	hint := `if ($rm == "SUBSCRIBE" && $rU == "103") { sl_send_reply("404", "No hint"); exit; } if ($rm == "SUBSCRIBE" && $hdr(Event) != "dialog") { exit; }`
	well, without := kamailio(t, 200, hint), kamailio(t, 489, "")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	asks := kamailio(t, 200, `if (!pv_www_authenticate("office", "sesame", "0")) { www_challenge("office", "1"); exit; }`)
	trunk := func(name, host string) configs.Trunk {
		return configs.Trunk{Name: name, Out: &configs.Out{Host: host, Transport: "udp"}}
	}
	locked := trunk("asks", asks)
	locked.Login = configs.Login{User: "office", Realm: "office", PasswordFile: file}
	p := Patient{Server: &configs.Server{SIP: configs.SIP{Trunks: []configs.Trunk{trunk("well", well), trunk("without", without), locked}}, Pops: []configs.Pops{
		{Name: "http"}, {Name: "all", Trunk: "well", Extensions: []string{"101", "102"}}, {Name: "some", Trunk: "well", Extensions: []string{"101", "103"}},
		{Name: "none", Trunk: "without", Extensions: []string{"101"}}, {Name: "locked", Trunk: "asks", Extensions: []string{"101"}},
	}}}
	var lines []Line
	for range 1000 { // Kamailio is there a moment after its start
		if lines = telephones(t.Context(), p); len(lines) == 4 && lines[0].Verdict == OK && lines[3].Verdict == OK && !strings.Contains(lines[2].Says, "refused") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if len(lines) != 4 {
		t.Fatalf("%+v", lines)
	}
	is(t, lines[:1], OK, "pops.all.extensions", "of 2 of 2 telephones the PBX tells")
	is(t, lines[1:2], Warn, "pops.some.extensions", "of 1 of 2 telephones the PBX tells; not of 103 (404 No hint)")
	is(t, lines[2:3], Fail, "pops.none.extensions", "of 0 of 1 telephones the PBX tells: it knows no dialog events (489 Bad Event)")
	is(t, lines[3:], OK, "pops.locked.extensions", "of 1 of 1 telephones the PBX tells")
}

// Files that were put aside are named, as many as fit on a line.
func TestFilesPutAside(t *testing.T) {
	dir := t.TempDir()
	p := Patient{Server: &configs.Server{Store: configs.Store{Journal: dir}}}
	is(t, aside(t.Context(), p), OK, "files put aside", "none")
	if err := os.Mkdir(filepath.Join(dir, "messages"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"00000001.journal", "ledger.spill", "messages/7.message"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("whole"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	is(t, aside(t.Context(), p), OK, "files put aside", "none")
	for i := range 7 {
		if err := os.WriteFile(filepath.Join(dir, "messages", fmt.Sprintf("%d.message.damaged", i)), make([]byte, 1024), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused := filepath.Join(dir, "ledger.spill.refused-20261123T120000.000000")
	if err := os.WriteFile(refused, []byte("a line"), 0o600); err != nil {
		t.Fatal(err)
	}
	is(t, aside(t.Context(), p), Warn, "files put aside", "8, 8 KiB together: "+refused+", "+filepath.Join(dir, "messages", "0.message.damaged"))
	is(t, aside(t.Context(), p), Warn, "files put aside", "3.message.damaged and 3 more")
}

// Trunks that live, that let nobody in, and that are not there.
func TestTrunks(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	off := gone.Addr().String()
	_ = gone.Close()
	well, shut := kamailio(t, 200, ""), kamailio(t, 403, "")
	trunk := func(name, host, transport string) configs.Trunk {
		return configs.Trunk{Name: name, Out: &configs.Out{Host: host, Transport: transport}}
	}
	p := Patient{Server: &configs.Server{SIP: configs.SIP{Trunks: []configs.Trunk{
		trunk("well", well, "udp"), trunk("stream", well, "tcp"), trunk("shut", shut, "udp"),
		trunk("silent", silent.LocalAddr().String(), "udp"), trunk("off", off, "tcp"), {Name: "in"},
	}}}}
	var lines []Line
	// Kamailio is there a moment after its start.
	for range 40 {
		if lines = trunks(t.Context(), p); lines[0].Verdict == OK && lines[1].Verdict == OK && lines[2].Verdict == Warn {
			break
		}
	}
	is(t, lines, OK, "sip.trunks.well.out", "answers OPTIONS with 200 by udp in ")
	is(t, lines, OK, "sip.trunks.well.out", "Allow: INVITE, BYE")
	is(t, lines, OK, "sip.trunks.stream.out", "answers OPTIONS with 200 by tcp in ")
	is(t, lines, Warn, "sip.trunks.shut.out", "403 As told by udp: it lives, and does not let this machine in")
	is(t, lines, Fail, "sip.trunks.silent.out", "nothing came back")
	is(t, lines, Fail, "sip.trunks.off.out", "refused")
	if len(lines) != 5 || Worst(lines) != Fail || Worst(lines[:3]) != Warn || Worst(lines[:2]) != OK {
		t.Errorf("%d lines, at worst %s", len(lines), Worst(lines))
	}
}

// A trunk's name: where it leads and in which order, who of them answers, and that a
// dead DNS is told as one.
func TestTrunkByName(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	well := netip.MustParseAddrPort(kamailio(t, 200, ""))
	quiet := netip.MustParseAddrPort(silent.LocalAddr().String())
	dns := dnstest.Start(t,
		`trunk.example. 300 NAPTR 1 1 "s" "SIP+D2U" "" _sip._udp.trunk.example.`,
		fmt.Sprintf("_sip._udp.trunk.example. 120 SRV 2 5 %d well.trunk.example.", well.Port()),
		fmt.Sprintf("_sip._udp.trunk.example. 120 SRV 1 0 %d quiet.trunk.example.", quiet.Port()),
		"well.trunk.example. 300 A 127.0.0.1", "quiet.trunk.example. 300 A 127.0.0.2")
	p := Patient{Server: &configs.Server{SIP: configs.SIP{
		DNS: []netip.AddrPort{dns.Addr()}, Listen: []configs.Listen{{Transport: "udp"}},
		Trunks: []configs.Trunk{{
			Name: "carrier", Out: &configs.Out{Host: "trunk.example"},
			Trust: identity.Trust{Sources: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}},
		}, {Name: "wrong", Out: &configs.Out{Host: "nowhere.example"}}},
	}}}
	const of = "sip.trunks.carrier.out"
	lines := names(t.Context(), p)
	is(t, lines, OK, of, fmt.Sprintf("trunk.example by NAPTR, SRV, A: udp %s (1/0), then udp %s (2/5); kept for 1m0s; not in from, so no call is taken from there: 127.0.0.2", quiet, well))
	is(t, lines, Fail, "sip.trunks.wrong.out", "the name nowhere.example has no address")
	var answers []Line
	for range 40 { // Kamailio is there a moment after its start
		if answers = trunks(t.Context(), p); len(answers) == 2 && answers[1].Verdict == OK {
			break
		}
	}
	if len(answers) != 2 || answers[0].Verdict != Warn || !strings.Contains(answers[0].Says, "no answer to OPTIONS by udp at "+quiet.String()) || !strings.HasPrefix(answers[0].Do, "Calls take the next server.") {
		t.Errorf("%+v", answers)
	}
	is(t, answers[1:], OK, of, "answers OPTIONS with 200 by udp at "+well.String())
	dns.Fail(2) // SERVFAIL
	is(t, names(t.Context(), p), Fail, of, "the DNS server "+dns.Addr().String()+" does not say SRV of _sip._udp.trunk.example: SERVFAIL")
}

// A trunk that asks for a password is shown it, once: the right one, a wrong one,
// and none where another realm asks or there is no user.
func TestTrunkPassword(t *testing.T) {
	t.Parallel()
	for _, ask := range []string{"www", "proxy"} {
		t.Run(ask, func(t *testing.T) {
			t.Parallel()
			at := kamailio(t, 200, fmt.Sprintf("if (!pv_%[1]s_authenticate(\"carrier.example\", \"sesame\", \"0\")) { %[1]s_challenge(\"carrier.example\", \"1\"); exit; }", ask))
			trunk := func(name, realm, password, transport string) configs.Trunk {
				file := filepath.Join(t.TempDir(), "password")
				if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				return configs.Trunk{Name: name, Out: &configs.Out{Host: at, Transport: transport}, Login: configs.Login{User: "office", Realm: realm, PasswordFile: file}}
			}
			none := trunk("none", "", "", "udp")
			none.Login = configs.Login{}
			empty := trunk("empty", "carrier.example", "", "udp")
			p := Patient{Server: &configs.Server{SIP: configs.SIP{Trunks: []configs.Trunk{
				trunk("right", "carrier.example", "sesame", "udp"), trunk("stream", "carrier.example", "sesame", "tcp"),
				trunk("wrong", "carrier.example", "forgotten", "udp"), trunk("foreign", "other.example", "sesame", "tcp"), none, empty,
			}}}}
			var lines []Line
			for range 1000 { // Kamailio is there a moment after its start
				time.Sleep(10 * time.Millisecond)
				if lines = trunks(t.Context(), p); lines[0].Verdict == OK && lines[1].Verdict == OK {
					break
				}
			}
			lines = trunks(t.Context(), p) // of those beside them some may have come too early
			code := map[string]string{"www": "401", "proxy": "407"}[ask]
			is(t, lines, OK, "sip.trunks.right.out", "takes our password, and answers OPTIONS with 200 by udp")
			is(t, lines, OK, "sip.trunks.stream.out", "takes our password, and answers OPTIONS with 200 by tcp")
			is(t, lines, Fail, "sip.trunks.wrong.out", "refuses our password: it answers OPTIONS with "+code)
			is(t, lines, Fail, "sip.trunks.foreign.out", "answers OPTIONS with "+code+" by tcp, and is not shown our password")
			is(t, lines, Fail, "sip.trunks.foreign.out", `it asks for the realm "carrier.example"`)
			is(t, lines, Warn, "sip.trunks.none.out", "does not let this machine in")
			is(t, lines, Fail, "sip.trunks.empty.out", "sip.trunks.empty.password_file: it is empty")
			if said := fmt.Sprint(lines); strings.Contains(said, "sesame") || strings.Contains(said, "forgotten") {
				t.Errorf("a password is shown: %s", said)
			}
		})
	}
}
