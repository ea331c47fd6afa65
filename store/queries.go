package store

// The store's SQL, all of it but the schema: plain enough for SQLite and
// Postgres alike.

// The ledger.
const (
	callColumns = `call, public_id, trunk, number, dialled, customer, queue, rule, topic, agent,
		arrived_at, answered_at, queued_at, talk_at, ended_at, wait_us, talk_us, outcome, ended_by, reason,
		transfers, offers, disposition, has_note, policy_version, callback_number`

	qSaveCall = `INSERT INTO calls (` + callColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
		ON CONFLICT (call) DO UPDATE SET
			customer = excluded.customer, queue = excluded.queue, rule = excluded.rule, topic = excluded.topic,
			agent = excluded.agent, answered_at = excluded.answered_at,
			queued_at = excluded.queued_at, talk_at = excluded.talk_at, ended_at = excluded.ended_at,
			wait_us = excluded.wait_us, talk_us = excluded.talk_us,
			ended_by = excluded.ended_by, reason = excluded.reason, transfers = excluded.transfers,
			offers = excluded.offers, disposition = excluded.disposition, has_note = excluded.has_note,
			policy_version = excluded.policy_version, callback_number = excluded.callback_number`
	// What a call arrives with does not change. SQLite writes the entry of each
	// index anew whose column is set, changed or not (calls_open), hence two forms.
	qSaveCallAll  = qSaveCall + `, outcome = excluded.outcome`
	qCall         = `SELECT ` + callColumns + ` FROM calls WHERE call = $1`
	qOpenCalls    = `SELECT ` + callColumns + ` FROM calls WHERE outcome = '' ORDER BY call`
	qCallsBetween = `SELECT ` + callColumns + ` FROM calls WHERE arrived_at >= $1 AND arrived_at < $2 ORDER BY call LIMIT $3`
	qHighestCall  = `SELECT COALESCE(MAX(call), 0) FROM calls`

	qCountOutcomes = `SELECT outcome, COUNT(*) FROM calls GROUP BY outcome`

	// What a number has called before: its last calls, but for one.
	qPast = `SELECT arrived_at, outcome, ended_at FROM calls WHERE number = $1 AND number <> '' AND call <> $2
		ORDER BY arrived_at DESC LIMIT CAST($3 AS INTEGER)`

	// What a spill file is compared with, and what gives way to it.
	qOwnerOfCall    = `SELECT public_id, outcome FROM calls WHERE call = $1`
	qDropEventsFrom = `DELETE FROM call_events WHERE call = $1 AND seq >= $2`

	qAddEvent = `INSERT INTO call_events (call, seq, at, kind, agent, attempt, data)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (call, seq) DO NOTHING`
	qEvents  = `SELECT seq, at, kind, agent, attempt, data FROM call_events WHERE call = $1 ORDER BY seq`
	qLastSeq = `SELECT COALESCE(MAX(seq), 0) FROM call_events WHERE call = $1`

	// An end is the last sign of life: of a talk its own, of a call that waited (it
	// may have been quiet for long) that of the run. The event itself is written now.
	qLastSign = `SELECT COALESCE(MAX(at), 0) FROM (
		SELECT MAX(e.at) AS at FROM calls c JOIN call_events e ON e.call = c.call WHERE c.outcome = ''
		UNION ALL SELECT MAX(arrived_at) AS at FROM calls) signs`
	qRestartWaits  = `UPDATE calls SET wait_us = CAST($1 AS BIGINT) - arrived_at WHERE outcome = '' AND reason <> 'callback' AND talk_at IS NULL`
	qRestartEvents = `INSERT INTO call_events (call, seq, at, kind, agent, attempt, data)
		SELECT calls.call, COALESCE((SELECT MAX(e.seq) FROM call_events e WHERE e.call = calls.call), 0) + 1, CAST($1 AS BIGINT), 'end_call', '', 0,
			'{"outcome":"' || ` + restartOutcome + ` || '","by":"server","reason":"restart"}'
		FROM calls WHERE calls.outcome = '' AND calls.reason <> 'callback'`
	// An agent's question, which came by no trunk, is no caller's call that failed.
	restartOutcome = `CASE WHEN trunk = '' AND dialled = '' THEN 'consulted' ELSE 'failed' END`
	qRestartCalls  = `UPDATE calls SET outcome = ` + restartOutcome + `, ended_by = 'server', reason = 'restart', callback_number = '',
		ended_at = CASE WHEN talk_at IS NULL THEN CAST($1 AS BIGINT) ELSE COALESCE((SELECT MAX(e.at) FROM call_events e
			WHERE e.call = calls.call AND e.seq < (SELECT MAX(l.seq) FROM call_events l WHERE l.call = calls.call)), arrived_at) END
		WHERE outcome = '' AND reason <> 'callback'`

	qSetTalk = `UPDATE calls SET talk_us = $2 WHERE call = $1`

	qSaveDialog = `INSERT INTO dialogs (slot, call, leg, agent, state, local_sdp, remote_sdp, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (slot) DO UPDATE SET call = excluded.call, leg = excluded.leg, agent = excluded.agent, state = excluded.state,
			local_sdp = excluded.local_sdp, remote_sdp = excluded.remote_sdp, updated_at = excluded.updated_at`
	qRemoveDialog     = `DELETE FROM dialogs WHERE slot = $1`
	qRemoveAllDialogs = `DELETE FROM dialogs`
	qDialogs          = `SELECT call, leg, agent, state, local_sdp, remote_sdp, updated_at FROM dialogs ORDER BY call, leg`

	// The epoch grows with each server that takes the database over. A server's
	// transactions begin by reading it, so that the next one waits for their end,
	// and one whose time is over is refused.
	qTakeEpoch = `INSERT INTO counters (name, value) VALUES ('epoch', 1)
		ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value`
	qShareEpoch = `SELECT value FROM counters WHERE name = 'epoch' FOR SHARE` // Postgres only

	qCounter      = `SELECT value FROM counters WHERE name = $1`
	qRaiseCounter = `INSERT INTO counters (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE counters.value < excluded.value`
	// Stamps ("written/EPOCH") up to an epoch. Only these have a number for a name's end.
	qDropStamps = `DELETE FROM counters
		WHERE CASE WHEN name LIKE 'written/%' THEN CAST(SUBSTR(name, 9) AS BIGINT) <= $1 ELSE 1 = 0 END`
	qLowerCounter = `UPDATE counters SET value = $2 WHERE name = $1 AND value > $2`
)

// Customers.
const (
	customerColumns = `id, version, name, language, country, zone, segment, key_account, customer_since,
		yearly_minor, yearly_currency, churn_risk, churn_reasons, heed,
		consent_phone, consent_mail, consent_sms, consent_rec, manager, manager_name,
		last_agent, last_agent_name, last_agent_at, earlier, others, traits`

	qOwn   = `(SELECT COUNT(*) FROM interactions o WHERE o.customer = c.id AND o.attempt IS NOT NULL)`
	qOwnOf = `(SELECT COUNT(*) FROM interactions o WHERE o.customer = customers.id AND o.attempt IS NOT NULL)`

	// What a look-up reads: the customer's row with his document, when it counts.
	qSelectDocument = `SELECT c.id, c.version, c.last_agent, c.last_agent_name, c.last_agent_at, c.billed_at,
		c.doc_version, c.doc_contacts, c.doc_own, CASE WHEN c.doc_version - c.doc_own = c.version - ` + qOwn + ` THEN c.record END, c.history,
		COALESCE((SELECT k.value FROM counters k WHERE k.name = 'users'), 0) FROM `
	// SQLite plans anew for each value of a bare parameter after LIMIT, which
	// takes longer than the query: hence the casts.
	qDocumentsByNumber = qSelectDocument + `customer_numbers n JOIN customers c ON c.key = n.key
		WHERE n.e164 = $1 ORDER BY n.customer LIMIT CAST($2 AS INTEGER)`
	qDocumentByID = qSelectDocument + `customers c
		WHERE c.id = COALESCE((SELECT m.whole FROM customer_merges m WHERE m.other = $1), $1)`

	// A document is not replaced by an older one.
	qKeepDocument = `UPDATE customers SET doc_version = $2, doc_contacts = $3, doc_own = $4, doc_added = 0, record = $5, history = $6
		WHERE id = $1 AND version = $2 AND (doc_version IS NULL OR doc_version <= $2)`
	// What our own agents added last, and the version that the customer has with it.
	qNewestOwn = `SELECT c.version, i.id, i.at, i.channel, i.title, i.detail, i.topic, i.agent, i.agent_name, i.note,
		i.disposition, i.duration_s, i.call, i.promised_by, i.kept, i.source, i.changed_at, i.links
		FROM customers c JOIN interactions i ON i.customer = c.id
		WHERE c.id = $1 AND i.attempt IS NOT NULL ORDER BY i.at DESC, i.id DESC LIMIT CAST($2 AS INTEGER)`
	// After an import has changed the customer's tables in the same transaction:
	// one that has seen no contact of our own.
	qSaveDocument = `UPDATE customers SET doc_version = version - ` + qOwnOf + `, doc_contacts = $2, doc_own = 0,
		doc_added = 0, record = $3, history = $4 WHERE id = $1`
	// After a contact of ours, at $4 under the id $5, was replaced by itself and the
	// customer's version raised in the same transaction: a document that counted
	// before still does. One that had seen the contact gets it in front once more;
	// it has not seen the newest, as many as there are more than it has seen.
	qReplaceInDocument = `UPDATE customers SET doc_version = doc_version + 1, doc_added = doc_added + 1, history = CASE
			WHEN (SELECT COUNT(*) FROM interactions i WHERE i.customer = $1 AND i.attempt IS NOT NULL AND (i.at > $4 OR i.at = $4 AND i.id > $5))
				< (SELECT COUNT(*) FROM interactions i WHERE i.customer = $1 AND i.attempt IS NOT NULL) - doc_own
			THEN history ELSE CAST($2 AS TEXT) || history END
		WHERE id = $1 AND doc_added < $3 AND version - 1 - ` + qOwnOf + ` = doc_version - doc_own`

	// What a record is put together from.
	qCustomerByID = `SELECT c.id, c.version, c.name, c.language, c.country, c.zone, c.segment, c.key_account, c.customer_since,
		c.yearly_minor, c.yearly_currency, c.churn_risk, c.churn_reasons, c.heed,
		c.consent_phone, c.consent_mail, c.consent_sms, c.consent_rec, c.manager, c.manager_name,
		c.last_agent, c.last_agent_name, c.last_agent_at,
		c.earlier + (SELECT COUNT(*) FROM interactions i WHERE i.customer = c.id), ` + qOwn + `, c.others, c.traits,
		b.balance_minor, b.balance_currency, b.overdue_minor, b.overdue_currency, b.overdue_days,
		b.last_bill_minor, b.last_bill_currency, b.last_bill_on, b.paid_on, b.next_bill_on,
		b.we_owe_minor, b.we_owe_currency, b.we_owe_since, b.source, c.billed_at
		FROM customers c LEFT JOIN billing b ON b.customer = c.id WHERE c.id = $1`

	qNumbers = `SELECT n.e164, n.label, l.agent, l.agent_name, l.at, n.person, n.valid_from, n.valid_to, n.source
		FROM customer_numbers n LEFT JOIN number_links l ON l.e164 = n.e164 AND l.customer = n.customer
		WHERE n.customer = $1 ORDER BY n.ord, n.e164`
	qProducts = `SELECT id, kind, name, detail, status, note, price_minor, price_currency
		FROM products WHERE customer = $1 ORDER BY ord, id`
	qTickets = `SELECT id, title, detail, topic, kind, status, opened_at, due_at, closed_at FROM tickets
		WHERE customer = $1 ORDER BY CASE WHEN status = 'open' THEN 0 ELSE 1 END, opened_at DESC, id`
	qSelectInteraction = `SELECT id, at, channel, title, detail, topic, agent, agent_name, note,
		disposition, duration_s, call, promised_by, kept, source, changed_at, links `
	qInteractions = qSelectInteraction + `FROM interactions WHERE customer = $1 ORDER BY at DESC, id DESC LIMIT CAST($2 AS INTEGER)`

	qKnownCustomers = `SELECT c.id, c.key, c.source_hash, c.version, c.billed_at
		FROM customers c WHERE c.id IN `
	qSaveCustomer = `INSERT INTO customers (` + customerColumns + `, source_hash, changed_at, billed_at, key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)
		ON CONFLICT (id) DO UPDATE SET
			version = CASE WHEN excluded.version > customers.version THEN excluded.version ELSE customers.version + 1 END,
			name = excluded.name, language = excluded.language, country = excluded.country,
			zone = excluded.zone, segment = excluded.segment, key_account = excluded.key_account,
			customer_since = excluded.customer_since, yearly_minor = excluded.yearly_minor,
			yearly_currency = excluded.yearly_currency, churn_risk = excluded.churn_risk,
			churn_reasons = excluded.churn_reasons, heed = excluded.heed, consent_phone = excluded.consent_phone,
			consent_mail = excluded.consent_mail, consent_sms = excluded.consent_sms, consent_rec = excluded.consent_rec,
			manager = excluded.manager, manager_name = excluded.manager_name, earlier = excluded.earlier,
			others = excluded.others, traits = excluded.traits, source_hash = excluded.source_hash, changed_at = excluded.changed_at, billed_at = excluded.billed_at`
	// So many keys for new customers: the highest is returned.
	qTakeKeys = `INSERT INTO counters (name, value) VALUES ('customers', $1)
		ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value`
	qRaiseLastAgent = `UPDATE customers SET last_agent = $2, last_agent_name = $3, last_agent_at = $4
		WHERE id = $1 AND (last_agent_at IS NULL OR last_agent_at <= $4)`
	qRaiseVersion   = `UPDATE customers SET version = version + 1, changed_at = $2 WHERE id = $1`
	qFreshenBilling = `UPDATE customers SET billed_at = $2 WHERE id = $1 AND billed_at < $2`
	qAddInteraction = `INSERT INTO interactions (customer, id, at, channel, title, detail, topic, agent, agent_name, note,
		disposition, duration_s, call, attempt, promised_by, kept)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (customer, id) DO NOTHING`

	qCountCustomers = `SELECT COUNT(*) FROM customers`

	qContactOwner = `SELECT customer, at FROM interactions WHERE call = $1 AND attempt = $2`
	// What is there already stays: the caller sees it by the number of rows.
	qAddContact = `INSERT INTO interactions (customer, id, at, channel, title, detail, topic, agent, agent_name, note,
		disposition, duration_s, call, attempt)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`
	qTouchCustomer = `UPDATE customers SET version = version + 1, changed_at = $5,
			last_agent = CASE WHEN last_agent_at > $4 THEN last_agent ELSE $2 END,
			last_agent_name = CASE WHEN last_agent_at > $4 THEN last_agent_name ELSE $3 END,
			last_agent_at = CASE WHEN last_agent_at > $4 THEN last_agent_at ELSE $4 END
		WHERE id = $1`
	qDropContact = `DELETE FROM interactions WHERE (call = $1 AND attempt = $2) OR (customer = $3 AND id = $4)`
)

// People who sign in, and answers.
const (
	qSaveUser = `INSERT INTO users (id, role, name, password_hash, changed_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET role = excluded.role, name = excluded.name,
			password_hash = excluded.password_hash, changed_at = excluded.changed_at`
	qUser       = `SELECT id, role, name, password_hash FROM users WHERE id = $1`
	qUsers      = `SELECT id, role, name, password_hash FROM users ORDER BY id`
	qDeleteUser = `DELETE FROM users WHERE id = $1`
	// Users' names are shown in records: who keeps them in memory sees by the count
	// that they have changed.
	qUsersChanged = `INSERT INTO counters (name, value) VALUES ('users', 1)
		ON CONFLICT (name) DO UPDATE SET value = counters.value + 1`
	qUserNames = `SELECT u.id, u.name, COALESCE((SELECT k.value FROM counters k WHERE k.name = 'users'), 0) FROM users u`

	qSaveSession = `INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (token_hash) DO UPDATE SET user_id = excluded.user_id, expires_at = excluded.expires_at`
	qSession        = `SELECT user_id, expires_at FROM sessions WHERE token_hash = $1 AND expires_at > $2`
	qEndSessions    = `DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE id = $1 AND password_hash <> $2)`
	qDeleteSession  = `DELETE FROM sessions WHERE token_hash = $1`
	qExpireSessions = `DELETE FROM sessions WHERE expires_at <= $1`

	qSaveAnswer = `INSERT INTO answers (id, lang, topic, title, say, steps, owner, review, ord)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, COALESCE((SELECT MAX(a.ord) FROM answers a), 0) + 1)
		ON CONFLICT (id, lang) DO UPDATE SET topic = excluded.topic, title = excluded.title,
			say = excluded.say, steps = excluded.steps, owner = excluded.owner, review = excluded.review`
	qAnswers       = `SELECT id, lang, topic, title, say, steps, owner, review FROM answers ORDER BY ord, id, lang`
	qDeleteAnswers = `DELETE FROM answers`
)
