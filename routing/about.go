package routing

// About tells which call an action is about, and which attempt at which agent
// where it is about one: what of Offer stands in its JSON form. It is false for
// an action about an agent alone.
func About(action Action) (Offer, bool) {
	switch a := action.(type) {
	case interface{ offer() Offer }: // all that embed Offer
		return a.offer(), true
	case ResolveCustomer:
		return Offer{Call: a.Call}, true
	case AnswerCaller:
		return Offer{Call: a.Call}, true
	case Wait:
		return Offer{Call: a.Call}, true
	case PassOut:
		return Offer{Call: a.Call}, true
	case Enqueued:
		return Offer{Call: a.Call}, true
	case TurnedAway:
		return Offer{Call: a.Call}, true
	case StepReached:
		return Offer{Call: a.Call}, true
	case StepSkipped:
		return Offer{Call: a.Call}, true
	case Relaxed:
		return Offer{Call: a.Call}, true
	case Held:
		return Offer{Call: a.Call, Agent: a.Agent}, true
	case Treat:
		return Offer{Call: a.Call}, true
	case MessageTaken:
		return Offer{Call: a.Call}, true
	case AskMenu:
		return Offer{Call: a.Call}, true
	case MenuAnswered:
		return Offer{Call: a.Call}, true
	case OfferCallback:
		return Offer{Call: a.Call}, true
	case CallbackTaken:
		return Offer{Call: a.Call}, true
	case CallCustomer:
		return Offer{Call: a.Call, Attempt: a.Attempt, Agent: a.Agent}, true
	case DropCustomer:
		return Offer{Call: a.Call}, true
	case CallbackMissed:
		return Offer{Call: a.Call}, true
	case CallbackReached:
		return Offer{Call: a.Call}, true
	case EarlyMedia:
		return Offer{Call: a.Call}, true
	case Announce:
		return Offer{Call: a.Call}, true
	case EndCall:
		return Offer{Call: a.Call, Attempt: a.Attempt, Agent: a.Agent}, true
	}
	return Offer{}, false
}

func (o Offer) offer() Offer { return o }
