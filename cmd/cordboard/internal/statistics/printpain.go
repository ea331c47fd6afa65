package statistics

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/cordboard/cordboard/routing/figures"
)

type painView struct {
	History  int64          `json:"history"`
	Withheld int            `json:"withheld"`
	Calls    []int64        `json:"re_asked_calls"`
	Lines    []painLineView `json:"lines"`
}

type painLineView struct {
	By           string             `json:"by"`
	Name         string             `json:"name"`
	Closed       int                `json:"closed"`
	FirstCall    int                `json:"first_call"`
	Lapsed       int                `json:"lapsed"`
	FirstContact *float64           `json:"first_contact_resolution"`
	HopsMean     *float64           `json:"hops_mean"`
	HopsP90      *int               `json:"hops_p90"`
	NoHops       *float64           `json:"without_hops"`
	Contacts     int                `json:"contacts"`
	Running      int                `json:"contacts_running"`
	Repeat       *float64           `json:"repeat_contact"`
	RepeatSame   *float64           `json:"repeat_contact_same_topic"`
	Transfers    int                `json:"transfers"`
	Known        int                `json:"facts_known"`
	ReAsked      int                `json:"facts_re_asked"`
	Pops         map[string]popView `json:"pops"`
}

type popView struct {
	Offers   int      `json:"offers"`
	Rang     int      `json:"rang"`
	AfterAck int      `json:"rang_after_ack"`
	Share    *float64 `json:"rang_after_ack_share"`
}

var ackNames = map[figures.Ack]string{figures.AckPainted: "painted", figures.AckHidden: "hidden", figures.AckLate: "late", figures.NoAck: "none"}

// share is part of a whole in percent with one decimal; nil of nothing.
func share(part, of int) *float64 {
	if of == 0 {
		return nil
	}
	v := float64((2000*part+of)/(2*of)) / 10
	return &v
}

func (p *Pain) view() *painView {
	v := &painView{History: p.History.UnixMicro(), Withheld: p.Withheld, Calls: append([]int64{}, p.ReAsked...), Lines: []painLineView{}}
	for i := range p.Lines {
		v.Lines = append(v.Lines, viewPain(&p.Lines[i]))
	}
	return v
}

func viewPain(l *figures.PainLine) painLineView {
	v := painLineView{
		By: l.By, Name: l.Name, Closed: l.Closed, FirstCall: l.FirstCall, Lapsed: l.Lapsed,
		FirstContact: share(l.FirstCall, l.Closed+l.Lapsed), NoHops: share(l.Hops[0], l.Closed),
		Contacts: l.Contacts, Running: l.Running, Repeat: share(l.Repeated, l.Contacts), RepeatSame: share(l.RepeatedSame, l.Contacts),
		Transfers: l.Transfers, Known: l.Known, ReAsked: l.ReAsked, Pops: map[string]popView{},
	}
	if l.Closed > 0 {
		mean, p90 := float64((200*l.HopsSum()+l.Closed)/(2*l.Closed))/100, l.Hops90()
		v.HopsMean, v.HopsP90 = &mean, &p90
	}
	for ack, name := range ackNames {
		n := l.Pops[ack]
		v.Pops[name] = popView{n.Offers, n.Rang, n.AfterAck, share(n.AfterAck, n.Offers)}
	}
	return v
}

// print writes the pain below a report's table.
func (p *Pain) print(w io.Writer) error {
	fmt.Fprint(w, "\nQuestions that ended in the period, contacts that ended in it, its transfers and its offers.\n"+
		"FCR: closed in the first call / closed or lapsed. REPEAT: followed within 168 hours / answered contacts whose 168 hours are over.\n\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "BY\tNAME\tCONTACTS\tRUNNING\tREPEAT\tSAME TOPIC\tCLOSED\tLAPSED\tFCR\tHOPS\tP90\tNO HOPS\tTRANSFERS\tRE-ASKED\tPAINTED\tHIDDEN\tLATE\tNO ACK\tRANG AFTER ACK")
	for i := range p.Lines {
		l := &p.Lines[i]
		v := viewPain(l)
		mean, p90 := "-", "-"
		if v.HopsMean != nil {
			mean, p90 = fmt.Sprintf("%.2f", *v.HopsMean), fmt.Sprint(*v.HopsP90)
		}
		offers, after := 0, 0
		for _, n := range l.Pops {
			offers, after = offers+n.Offers, after+n.AfterAck
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", l.By, cmp.Or(l.Name, "-"),
			v.Contacts, v.Running, percent(v.Repeat), percent(v.RepeatSame), v.Closed, v.Lapsed, percent(v.FirstContact), mean, p90, percent(v.NoHops),
			v.Transfers, v.ReAsked, l.Pops[figures.AckPainted].Offers, l.Pops[figures.AckHidden].Offers, l.Pops[figures.AckLate].Offers,
			l.Pops[figures.NoAck].Offers, percent(share(after, offers)))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if p.Withheld > 0 {
		fmt.Fprintf(w, "%d answered calls are left out of questions and repeats: nobody knows who called.\n", p.Withheld)
	}
	if len(p.ReAsked) > 0 {
		fmt.Fprintf(w, "Facts were not on the receiver's screen in calls %v.\n", p.ReAsked)
	}
	return nil
}
