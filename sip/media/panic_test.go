package media_test

import "testing"

// A panic in what a call is told of its sound is that call's: the goroutines
// that read and play for all calls go on, and the port itself can be closed.
func TestPanicOfOneCall(t *testing.T) {
	e, a, b := engine(t), ear(t), ear(t)
	bad, good := open(t, e), open(t, e)
	pressed, ended := make(chan struct{}, 10), make(chan struct{}, 10)
	bad.OnDTMF(func(byte) {
		pressed <- struct{}{}
		panic("boom")
	})
	if err := bad.Play("short", false, a.Local(), pcmu, func() {
		ended <- struct{}{}
		panic("boom")
	}); err != nil {
		t.Fatal(err)
	}
	if err := good.Play("t440", true, b.Local(), pcmu, nil); err != nil {
		t.Fatal(err)
	}
	keys := make(chan byte, 10)
	good.OnDTMF(func(k byte) { keys <- k })
	a.Connect(bad.Local(), 0, 101)
	b.Connect(good.Local(), 0, 101)
	for range 2 { // the second shows that the first has left nothing locked
		if err := a.Press("1"); err != nil {
			t.Fatal(err)
		}
		<-pressed
	}
	<-ended
	if err := b.Press("2"); err != nil {
		t.Fatal(err)
	}
	if k := <-keys; k != '2' {
		t.Errorf("got %c", k)
	}
	received(t, b, b.Received()+10)
	bad.Close()
	if n := e.InUse(); n != 1 {
		t.Errorf("%d ports in use", n)
	}
}
