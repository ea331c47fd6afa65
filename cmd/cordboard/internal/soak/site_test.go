package main

import "testing"

// TestSites: two soaks at once share no address, neither of the server nor of a
// phone, and what one has left another may have.
func TestSites(t *testing.T) {
	first, err := takeSite()
	if err != nil {
		t.Fatal(err)
	}
	second, err := takeSite()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.leave() }()
	taken := map[string]bool{}
	for _, s := range []*site{first, second} {
		all := []string{s.at(1).Addr().String()}
		for i := range 600 {
			all = append(all, s.phone(i).String())
		}
		for _, a := range all {
			if taken[a] {
				t.Fatalf("%s is given out twice", a)
			}
			taken[a] = true
		}
	}
	left := first.network
	if err := first.leave(); err != nil {
		t.Fatal(err)
	}
	for range sites { // a soak of somebody else may be quicker
		again, err := takeSite()
		if err != nil {
			t.Fatalf("after %d was left: %v", left, err)
		}
		defer func() { _ = again.leave() }()
		if again.network == left {
			return
		}
	}
	t.Errorf("network %d was left, and nobody gets it", left)
}
