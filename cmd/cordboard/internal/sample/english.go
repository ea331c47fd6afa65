package sample

var english = tongue{
	lang: "en", country: "GB", zone: "Europe/London", currency: "GBP",
	women: []string{"Alice", "Beth", "Carol", "Diane", "Esther", "Fiona", "Gemma", "Hazel", "Isla", "Joan", "Kirsty", "Lorna", "Megan", "Nadia", "Olive", "Paula", "Rhona", "Sadie", "Tess", "Una", "Wendy", "Yasmin"},
	men:   []string{"Adam", "Brian", "Callum", "Declan", "Edwin", "Frank", "Graham", "Harvey", "Ian", "Jamal", "Keith", "Lewis", "Marcus", "Neil", "Oscar", "Percy", "Ravi", "Stuart", "Tariq", "Victor", "Wesley"},
	family: []string{"Ashdown", "Barlow", "Cartwright", "Dunmore", "Ellery", "Fairley", "Garside", "Hathersage", "Inglewood", "Jessop", "Kettering", "Langstaff", "Merriman", "Northcote", "Ollerton", "Pendrick", "Quayle",
		"Rushworth", "Selwood", "Thornbury", "Underhill", "Vickers", "Wetherby", "Yardley", "Okonjo", "Menon", "Haddad", "Farooqi"},
	companies: []string{"Larkfield Joinery", "Otter Lane Dental", "Pennine Cold Store", "Quayside Bakery", "Redgate Surveyors", "Saltmarsh Freight", "Tern & Daughters", "Westbrook Clinic"},
	products: map[string][]offer{
		"fibre":  {{"Fibre 100", 2900}, {"Fibre 500", 4400}, {"Fibre 900", 5600}},
		"mobile": {{"Mobile 5 GB", 900}, {"Mobile 20 GB", 1400}, {"Mobile Unlimited", 1800}},
		"tv":     {{"TV Basic", 800}, {"TV Plus", 1600}},
	},
	paused: "paused at the customer's wish",
	heed: []string{"Hard of hearing: speak clearly", "Works nights: no calls before noon", "Prefers a letter for anything that costs money",
		"Recently bereaved: account was in the partner's name", "Uses a text relay: wait for the operator", "Asks for figures in writing"},
	churn:  []string{"Read “Leave and keep your number”", "Data use down by a third in 90 days", "Contract ends within a month", "Two complaints in 30 days", "Asked what leaving would cost"},
	others: []string{"may ask about bills", "uses the second mobile", "may report faults"},
	episodes: map[string]words{
		"fibre_drops": {steps: []text{
			{"“My internet goes off every evening”", "Assistant suggested a restart; customer had done that twice", ""},
			{"Connection drops between eight and ten", "Line test: four drops in the week", "Patient, but has told this three times now. Router restarted, cable swapped. Wants a date, not another restart."},
			{"Complaint: pays for the full speed, gets a fraction in the evening", "Copy to the open ticket", ""}},
			ticket: text{"Fibre drops every evening", "Network: street cabinet is full at peak", ""}, product: "4 drops in 7 days"},
		"line_fault": {steps: []text{
			{"No connection since the morning", "Modem shows a red light", "Light on the box is red, power cycled. Somebody is home after four. Engineer booked."},
			{"Reminder: engineer visit", "Delivered", ""},
			{"Engineer visit: connector replaced", "Line measured, within limits", ""}},
			ticket: text{"Line dead, red light on the box", "Field service", ""}, product: "no signal"},
		"billing_question": {steps: []text{
			{"Opened the bill four times", "Then the page “Why is my bill higher?”", ""},
			{"Bill higher than last month", "Price rise and a part month together", "Did not get the letter about the new price. Explained the part month, not happy. Check whether the letter went to the old address and ring back."}},
			ticket: text{"Letter about the price rise never arrived", "Billing: check the address history", ""}},
		"roaming_refund": {steps: []text{
			{"Roaming limit reached", "Delivered abroad", ""},
			{"Charged for roaming on a ferry", "Ship's network, not the coast's", "Phone took the ship's network over night, 41 MB. Did not know that this is not covered. Asked billing for a goodwill refund."}},
			ticket: text{"Refund for roaming at sea", "Billing, waiting for approval", ""}},
		"sim_swap": {steps: []text{
			{"Phone lost, SIM blocked", "Identity checked by two questions", "Lost on the train. Old SIM blocked at once, new one to collect in the shop; bring a photo card."},
			{"Collected a new SIM", "Works, contacts restored", ""}}},
		"contract_end": {steps: []text{
			{"Read “When does my contract end?”", "Two visits in one evening", ""},
			{"“What happens when my contract ends?”", "Assistant named the date; chat closed without a reply", ""},
			{"Thinks of leaving when the contract ends", "Compared with another operator's offer", "Likes the connection, not the price. Would stay for the same speed at the newcomers' price. Offer sent, we ring again."}}},
		"moving_house": {steps: []text{
			{"Moves house, wants to take the line along", "New address can have fibre", "Moves on a Saturday, needs the line working on the Monday. Keep the number."},
			{"Confirmation of the move", "Opened", ""}},
			ticket: text{"Move of the line to the new address", "Provisioning", ""}},
		"payment_plan": {steps: []text{
			{"Cannot pay the whole bill at once", "Three instalments agreed", "Between jobs. Polite, embarrassed: no reminder calls while the instalments come in."},
			{"First instalment is due", "Delivered", ""}}},
		"business_line": {steps: []text{
			{"Request: two more lines and one bill for all sites", "Forwarded to business care", ""},
			{"Two more lines for the new office", "Opens at the start of the month", "Wants one bill, itemised by site, and one number to ring when something is wrong. Quote promised."},
			{"Signed order", "Filed", ""}},
			ticket: text{"Two lines for the new office", "Provisioning, survey booked", ""}},
	},
}
