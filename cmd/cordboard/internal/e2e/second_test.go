package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/baresip"
	"github.com/cordboard/cordboard/routing"
)

// TestSecondCalls: telephones of two makers call a colleague while they hold the
// caller. Baresip comes back to him; linphone transfers him by its second call.
func TestSecondCalls(t *testing.T) {
	s := prepareServer(t, phonesAlone(t), "sqlite", "  registrar: {realm: "+phoneRealm+", from: ["+testHost+"]}")
	secret := map[string]string{"anna": s.secret("anna"), "petar": s.secret("petar")}
	s.serve()
	db, heard := s.ledger(), newWire(t)
	caller := startPhone(t, baresip.Options{User: "+447700900123", Tone: callerTone}, 5070)
	hears := func(who string, port int, hz float64) {
		t.Helper()
		from, rtp := time.Now(), uint16(rtpFrom(port))
		eventually(t, who, func() bool { return baresip.Loudest(heard.to(rtp, rtp+8, from), hz) > loudEnough })
	}

	anna := newRegistered(t, "anna", secret["anna"], "udp", 5081, annaTone)
	metric(t, "cordboard_phones_reachable", "1")
	must(t, caller.Do("dial", "sip:"+hotline+"@"+sipAddress))
	anna.wait("CALL_INCOMING", 1)
	anna.answer()
	hears("the caller to hear Anna", 5070, annaTone)
	petar := newRegistered(t, "petar", secret["petar"], "tcp", 5091, petarTone) // the first call was Anna's for sure
	metric(t, "cordboard_phones_reachable", "2")
	must(t, anna.Do("hold"))
	must(t, anna.Do("dial", "sip:petar@"+sipAddress))
	petar.wait("CALL_INCOMING", 1)
	petar.answer()
	hears("Petar to hear Anna", 5091, annaTone)
	hears("Anna to hear Petar", 5081, petarTone)
	anna.hangup() // of her second call
	petar.wait("CALL_CLOSED", 1)
	must(t, anna.Do("resume"))
	hears("the caller to hear Anna again", 5070, annaTone)
	hears("Anna to hear the caller again", 5081, callerTone)
	anna.hangup()
	caller.wait("CALL_CLOSED", 1)
	if row := s.closed(db, 1); row.Outcome != routing.Answered || row.Agent != "anna" || row.Transfers != 0 || row.Talk == 0 {
		t.Errorf("the ledger row: %+v", row)
	}
	anna.quit()
	petar.quit()
	metric(t, "cordboard_phones_registered", "0")

	phone := newLinphone(t, s, 5101, annaTone)
	phone.register("anna", secret["anna"], "udp")
	metric(t, "cordboard_phones_reachable", "1")
	must(t, caller.Do("dial", "sip:"+hotline+"@"+sipAddress))
	phone.wait("IncomingReceived", 1)
	phone.do("answer")
	phone.wait("StreamsRunning", 1)
	petar = newRegistered(t, "petar", secret["petar"], "udp", 5111, petarTone)
	metric(t, "cordboard_phones_reachable", "2")
	phone.do(fmt.Sprintf("call sip:petar@%s", sipAddress)) // it holds the caller by itself
	petar.wait("CALL_INCOMING", 1)
	petar.answer()
	hears("Anna to hear Petar by linphone", 5101, petarTone)
	must(t, phone.SpeakIn(t.Context(), 2))
	hears("Petar to hear Anna", 5111, annaTone)
	phone.do("call-transfer 1 2")
	hears("the caller to hear Petar", 5070, petarTone)
	hears("Petar to hear the caller", 5111, callerTone)
	metric(t, `cordboard_phone_transfers_total{result="handed_over"}`, "1")
	must(t, caller.Do("hangup"))
	petar.wait("CALL_CLOSED", 1)
	if row := s.closed(db, 3); row.Outcome != routing.Answered || row.Agent != "petar" || row.Transfers != 1 || row.EndedBy != routing.ByCaller {
		t.Errorf("the ledger row: %+v", row)
	}
}
