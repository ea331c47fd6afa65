package routing

import "time"

// Follow keeps a place up to date with what happens to its call. It says false
// once there is no place to keep any more: the customer is on the line, or the
// call is over.
func (k *Kept) Follow(a Action) bool {
	switch a := a.(type) {
	case CallbackTaken:
		*k = a.Kept
	case CallCustomer:
		// Should it be the last that is known of it: his phone has rung.
		k.Tries, k.Again = a.Try, a.Until.Add(k.Retry)
	case CallbackMissed:
		if a.Why != missedUncalled && a.Why != missedDropped {
			k.Missed++
		}
		k.Again = a.Again
	case Enqueued: // another version of the document has it elsewhere
		k.Queue, k.Entered = a.Queue, a.Entered
	case StepReached:
	case CallbackReached, EndCall:
		return false
	}
	return true
}

// Over says that a place is not worth restoring at an instant: its time is over.
func (k *Kept) Over(at time.Time) bool { return !k.Expires.After(at) }
