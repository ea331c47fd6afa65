// Invented people and calls for the browser tests. Instants hang on `now`, so
// that "today" and "late" mean the same whenever the tests run.
const day = 86_400_000;

export function people(now) {
  const iso = (ms) => new Date(ms).toISOString();
  const date = (ms) => iso(ms).slice(0, 10);
  const money = (minor, currency = 'GBP') => ({ minor, currency });
  const noon = new Date(now).setHours(12, 0, 0, 0);
  const dana = {
    id: 'LW-204 118 63', version: 7, name: 'Dana Whitcombe', language: 'en', country: 'GB', zone: 'Europe/London',
    numbers: [{ e164: '+447700900417', label: 'mobile' }, { e164: '+441632960118', label: 'home' }],
    segment: 'Top 20 %', key_account: false, customer_since: date(now - 2650 * day), yearly_value: money(104800),
    churn_risk: 72, churn_reasons: ['Opened “Leave and keep number”', 'Data use down 38 % in 90 days', 'Two complaints, both fibre', 'Contract ends 8 December'],
    heed: ['Hard of hearing: speak clearly'], consent: { phone: true, mail: false, sms: true, recording: true },
    account_manager: { agent: 'owen', name: 'Owen Tarrant' }, last_agent: { agent: 'priya', name: 'Priya Nair' }, last_agent_at: iso(now - 8 * day),
    billing: { balance: money(-2310), last_bill: money(6420), last_bill_on: date(now - 24 * day), paid_on: date(now - 23 * day), next_bill_on: date(now + 8 * day), we_owe: money(1250), we_owe_since: date(now - 17 * day), source: 'Billing', at: iso(now - 2000) },
    products: [
      { id: 'p1', kind: 'fibre', name: 'Fibre 500', detail: '01632 960118', status: 'fault', note: '4 drops in 7 days', price: money(4400) },
      { id: 'p2', kind: 'mobile', name: 'Mobile Unlimited', detail: '07700 900417, this phone', status: 'active', price: money(1800) },
      { id: 'p3', kind: 'mobile', name: 'Mobile 20 GB', detail: '07700 900630, Leo', status: 'active', price: money(220) },
      { id: 'p4', kind: 'tv', name: 'TV Plus', detail: 'returned in the shop', status: 'paused', price: money(0) },
    ],
    tickets: [
      { id: 'T-48213', title: 'Fibre drops every evening', detail: 'Network, engineer at home 9–12', topic: 'line_fault', kind: 'fault', status: 'open', opened_at: iso(now - 14 * day), due_at: iso(new Date(now).setHours(23, 59, 0, 0)) },
      { id: 'T-47790', title: 'Refund for October outage', detail: 'Billing, waiting for approval', kind: 'refund', status: 'open', opened_at: iso(now - 20 * day), due_at: iso(now - 1.2 * day) },
    ],
    interactions: [
      { id: 'i1', at: iso(now - 2_400_000), channel: 'web', title: 'read “Leave and keep your number” three times', detail: 'Then the fibre status page for 4 minutes' },
      { id: 'i2', at: iso(noon - 2 * day), channel: 'chat', title: '“How long is my contract?”', detail: 'Answered by the assistant: ends 8 December' },
      { id: 'i3', at: iso(noon - 8 * day), channel: 'call', title: 'Fibre drops at 20–22 h', duration_s: 492, agent: { agent: 'priya', name: 'Priya Nair' }, note: 'Patient, works evenings. Promised a call back by Friday if no better.', promised_by: iso(noon - 2 * day), kept: false, call: 3 },
      { id: 'i4', at: iso(noon - 9 * day), channel: 'sms', title: 'planned work in the street, 22–24 h', detail: 'Delivered' },
      { id: 'i5', at: iso(noon - 14 * day), channel: 'mail', title: 'complaint: paid for 500, gets 80 in the evening', agent: { agent: 'marek', name: 'Marek Sobol' }, source: 'mail-desk', links: [{ title: 'speed-test.pdf', url: 'https://files.example.com/speed-test.pdf' }] },
      { id: 'i6', at: iso(noon - 18 * day), channel: 'shop', title: 'TV box returned' },
      { id: 'i7', at: iso(noon - 23 * day), channel: 'visit', title: 'line measured, no fault found' },
    ],
    contacts: 31, others: [{ name: 'Leo Whitcombe', detail: 'may ask about …630' }],
  };
  const marina = {
    id: 'RT-510 220', version: 3, name: 'Марина Голубева-Константинопольская', language: 'ru', country: 'RU', zone: 'Europe/Moscow',
    numbers: [{ e164: '+70005550147', label: 'mobile' }], segment: 'Постоянные', customer_since: date(now - 900 * day), churn_risk: 31,
    heed: ['Звонить после 18:00', 'Плохо слышно: говорить чётко', 'Просьба не обращаться по телефону мужа'], consent: { phone: false, recording: true },
    billing: { balance: money(-125050, 'RUB'), overdue: money(125050, 'RUB'), overdue_days: 12, last_bill: money(89000, 'RUB'), last_bill_on: date(now - 20 * day), source: 'Биллинг', at: iso(now - 40_000) },
    products: [{ id: 'q1', kind: 'fibre', name: 'Интернет 300', detail: 'порт 12', status: 'fault', note: '4 обрыва за 7 дней', price: money(65000, 'RUB') }],
    tickets: [{ id: 'T-48213', title: 'Обрывы интернета вечером, просьба назвать точную дату замены порта', detail: 'Сеть, мастер 21 ноября', kind: 'fault', status: 'open', opened_at: iso(now - 5 * day), due_at: iso(now + 3 * day) }],
    interactions: [{ id: 'j1', at: iso(noon - 3 * day), channel: 'call', title: 'Обрывы с 20 до 22', duration_s: 402, agent: { agent: 'pavel', name: 'Павел Рудин' }, note: 'Разговор спокойный. Вечером занято, звонить после 18:00.' }],
    contacts: 3,
  };
  const ruth = { ...dana, id: 'LW-300 000 01', version: 1, name: 'Ruth Calloway', segment: 'Private', numbers: [{ e164: '+441632960245', label: 'home' }], products: dana.products.slice(0, 2) };
  const tom = { ...ruth, id: 'LW-300 000 02', name: 'Tom Calloway', numbers: [{ e164: '+441632960245' }], products: [] };
  const firm = { ...ruth, id: 'LW-900 777', name: 'Northgate Joinery Ltd', segment: 'Business', language: undefined, numbers: [{ e164: '+441632960245', label: 'work' }] };
  const harbour = {
    ...dana, id: 'LW-900 010 02', name: 'Harbour & Lowe Logistics', kind: 'company', key_account: true, do_not_call: true, churn_risk: 24, churn_reasons: [], heed: [],
    numbers: [
      { e164: '+447700900417', label: 'mobile', person: 'Ines Marlow', source: 'crm' }, { e164: '+442079460021', label: 'work', account: 'LW-911 200 07' },
      { e164: '+447700900024', label: 'mobile', person: 'Tom Ashdown', source: 'crm', valid_to: date(now - 30 * day) },
    ],
    products: dana.products.map((p, i) => (i === 3 ? { ...p, account: 'LW-911 200 07' } : p)), tickets: dana.tickets.map((x, i) => (i === 1 ? { ...x, account: 'LW-911 200 07' } : x)),
    interactions: dana.interactions.map((x, i) => (i === 3 ? { ...x, account: 'LW-911 200 07' } : x)),
    others: [{ name: 'Ines Marlow', detail: 'head of dispatch, may order' }, { name: 'Night dispatch', detail: 'may report faults' }],
    part_of: { id: 'LW-900 000 01', name: 'Harbour Group' }, sub_accounts: [{ id: 'LW-900 010 10', name: 'Cold Store', detail: 'Dock 4, own bill' }, { id: 'LW-900 010 28', name: 'Couriers', detail: '140 lines' }],
    accounts: [{ id: 'LW-911 200 07', name: 'HARBOUR AND LOWE', billing: { balance: money(-44000), source: 'Billing', at: iso(now - 2000) }, merge: 4, merged_by: { agent: 'boss', name: 'Sue Marsh' }, merged_at: iso(now - day) }],
  };
  return { dana, marina, ruth, tom, firm, harbour };
}

/** Two interactions that a search has found. */
export const searchData = () => ({ hits: [
  { customer: 'LW-204', name: 'Dana Whitcombe', id: 'i3', at: new Date(Date.now() - 8 * day).toISOString(), channel: 'call', title: ['Fibre drops at 20–22 h'], text: ['', 'Router', ' restarted twice, the ', 'router', ' is warm.'], agent: { agent: 'priya', name: 'Priya Nair' }, call: 3 },
  { customer: '', name: '', id: 'i9', at: new Date(Date.now() - 20 * day).toISOString(), channel: 'mail', title: ['Asks what moving costs'], text: [], source: 'mail-desk' },
], next: '', waiting: 0 });

export const answersEn = [
  { id: 'a1', topic: 'line_fault', lang: 'en', title: 'Slow or dropping 20–22 h', say: 'I can see four drops this week, all between eight and ten. That is our side, not your router.', steps: ['Start the line test, it takes 40 s', 'Street is on split plan SP-114: work ends 24 Nov', 'Until then move the line to the spare port'], owner: 'rosa', review: '2026-11-20' },
  { id: 'a2', topic: 'line_fault', lang: 'en', title: 'A promised call back was missed', say: 'We said we would ring by Friday and did not. I am sorry. I will stay with it today until it is settled.', steps: [], owner: 'sofia', review: '2026-11-01' },
  { id: 'a3', topic: 'line_fault', lang: 'en', title: 'What leaving early would cost', say: 'Nothing from 8 December.', steps: null },
];
export const answersRu = [{ id: 'b1', topic: 'line_fault', lang: 'ru', title: 'Медленно или обрывы с 20 до 22', say: 'Вижу четыре обрыва за неделю, все вечером. Это на нашей стороне, роутер ни при чём.', steps: ['Запустить проверку линии, 40 секунд', 'Назвать дату замены порта'], owner: 'sofia', review: '2026-10-01' }];

const asks = { fault_ticket: ['ticket_id'], call_back: ['when', 'topic', 'note'] };

export const welcomeParts = {
  topics: [{ id: 'line_fault', title: { en: 'Line fault', ru: 'Неисправность линии' } }, { id: 'billing_question', title: { en: 'Question about a bill', ru: 'Вопрос по счёту' } }, { id: 'retention', title: { en: 'Wants to leave', ru: 'Уход к другому оператору' } }],
  queues: [{ id: 'support', title: 'Support' }, { id: 'retention', title: 'Retention' }, { id: 'billing', title: 'Billing' }],
  dispositions: {
    care: [['fault_ticket', 'Fault, ticket opened', 'Неисправность, заявка открыта'], ['fixed', 'Fault fixed', 'Неисправность устранена'], ['call_back', 'Call back', 'Перезвонить'], ['stays_plan', 'Stays, new plan', 'Остаётся, новый тариф'], ['stays', 'Stays, nothing changed', 'Остаётся без изменений'], ['leaves', 'Leaves, number ported', 'Уходит, оформлен перенос номера'], ['refund', 'Refund', 'Возврат денег'], ['bill', 'Question about a bill', 'Вопрос по счёту'], ['passed', 'Passed to a specialist', 'Передан специалисту'], ['advice', 'Advice', 'Консультация'], ['complaint', 'Complaint', 'Жалоба']].map(([id, en, ru]) => ({ id, title: { en, ru }, ...(asks[id] && { asks: asks[id] }), final: id !== 'call_back' })),
  },
  reasons: ['break', 'lunch', 'meeting', 'training', 'other'],
  numbers: ['GB'],
};

export function colleagues(now) {
  const us = (ago) => (now - ago) * 1000;
  return [
    { id: 'priya', name: 'Priya Nair', state: 'available', since: us(250_000) },
    { id: 'petar', name: 'Petar Georgiev', state: 'wrap_up', since: us(20_000), until: us(-18_000) },
    { id: 'sofia', name: 'Sofia Adler', state: 'talking', since: us(200_000) },
    { id: 'owen', name: 'Owen Tarrant', state: 'not_ready', reason: 'meeting', since: us(1_900_000) },
    { id: 'rosa', name: 'Rosa Quill', state: 'available', since: us(35_000) },
    { id: 'juno', name: 'Juno Pask', state: 'signed_out', since: 0 },
  ];
}

/** A card offered to priya; what a test needs to be different goes into `over`. */
export function card(now, over = {}) {
  const us = (ago) => (now - ago) * 1000;
  const p = people(now);
  return {
    call: 12, attempt: 1, agent: 'priya', phase: 'offered', since: us(0), until: 0, mode: 'on_accept', queue: 'retention', topic: 'line_fault', set: 'care',
    caller: { number: '+447700900417', display: '', country: 'GB', source: 'pai', trusted: true, restricted: false },
    dialled: '+448081570142', trunk: 'main', arrived: us(48_000), answer_within_s: 60, waited_s: 48, waited_before_s: 0,
    match: 'exact', record: p.dana, record_at: us(300), stale: false, candidates: [],
    story: [{ code: 'repeat_contact', n: 4, days: 14, topic: 'line_fault' }, { code: 'promise_broken', by: us(2 * day) }],
    why: { rule: 'keep_valued', step: 1, policy: 'longest_idle', trigger: 'agent_free', prefer: 'last_agent', came_back: 0, left_out: [] },
    path: [{ at: us(50_000), kind: 'dialled', name: '+448081570142' }, { at: us(49_000), kind: 'route', name: 'keep_valued' }, { at: us(48_000), kind: 'queue', name: 'retention', seconds: 48 }],
    from: null, notes: [], note: '', used: [], answers: answersEn, facts: ['account_manager', 'balance', 'churn_risk', 'consent', 'customer', 'heed', 'interactions', 'language', 'last_agent', 'last_bill', 'name', 'number', 'numbers', 'others', 'path', 'products', 'segment', 'tickets', 'we_owe'],
    ring_why: '', disposition: '', talk_since: 0, talk_s: 0, ...over,
  };
}

export function received(now, over = {}) {
  const us = (ago) => (now - ago) * 1000;
  return card(now, {
    attempt: 2, waited_s: 21, waited_before_s: 48, queue: 'support',
    story: [{ code: 'passed_on', name: 'Sofia Adler', text: 'Port 12 is full in the evening; please give a fixed date for the spare port. The October visit found nothing.' }],
    why: { rule: 'faults', step: 1, policy: 'longest_idle', trigger: 'came_back', prefer: 'topic', came_back: 0, left_out: [] },
    path: [{ at: us(400_000), kind: 'dialled', name: '+448081570142' }, { at: us(399_000), kind: 'route', name: 'keep_valued' }, { at: us(398_000), kind: 'queue', name: 'retention', seconds: 48 }, { at: us(350_000), kind: 'agent', name: 'Sofia Adler', seconds: 271 }, { at: us(21_000), kind: 'topic', name: 'line_fault' }],
    from: { agent: 'sofia', name: 'Sofia Adler', note: 'Port 12 is full in the evening; please give a fixed date for the spare port. The October visit found nothing.', at: us(21_000), topic: 'line_fault', talk_s: 271 },
    notes: [{ agent: 'sofia', name: 'Sofia Adler', at: us(30_000), text: 'Drops 20 to 22 h since 3 Nov, by cable too. Router restarted twice. Apologised for the missed call. Evenings only, after 18:00.' }],
    used: [{ answer: 'a2', title: 'A promised call back was missed', agent: 'sofia', at: us(200_000) }], ...over,
  });
}

/** Standard answers with a topic that has none, and two that are due for review. */
export function gapsData() {
  return {
    langs: ['bg', 'en', 'ru', 'zh'], answers: 31, unowned: 4,
    topics: [
      { name: 'roaming', title: { en: 'Roaming refund', ru: 'Возврат за роуминг' }, calls: 210, answers: {}, specialists: ['Elena Doyle', 'Wu Lan'] },
      { name: 'line_fault', title: null, calls: 640, answers: { en: 6, ru: 6, bg: 2 }, specialists: ['Petar Georgiev'] },
      { name: 'billing', title: { en: 'Bills and payments', ru: 'Счета и оплата' }, calls: 12, answers: { en: 9, ru: 8 }, specialists: [] },
    ],
    due: [
      { id: 'bill', lang: 'ru', topic: 'billing', title: 'Почему счёт больше, чем в прошлом месяце?', owner: '', review: '2026-09-01' },
      { id: 'drops', lang: 'en', topic: 'line_fault', title: 'Slow or dropping between eight and ten', owner: 'Petar Georgiev', review: '2026-11-20' },
    ],
  };
}

/** What became of a month's calls: many of one topic, few of another, none known of a third. */
export function afterData() {
  const share = (value, low, high) => ({ value, low, high });
  const none = { transfer_rate: null, hops_mean: null, repeat_contact: null, solved_share: null, self_service_share: null };
  const line = (by, name, more) => ({
    by, name, title: null, calls: 0, answered: 0, self_service: 0, transferred: 0, transferred_back: 0, unknown_caller: 0, not_known_yet: 0, followed: 0,
    repeated: 0, first_contacts: 0, solved: 0, self_service_solved: 0, ...none, ...more,
  });
  const much = {
    calls: 470, answered: 401, self_service: 40, transferred: 61, transfer_rate: share(15.2, 12, 19.1), hops_mean: 0.18, transferred_back: 4, unknown_caller: 12, not_known_yet: 98,
    followed: 331, repeated: 64, repeat_contact: share(19.3, 15.4, 23.9), first_contacts: 300, solved: 216, solved_share: share(72, 66.7, 76.8), self_service_solved: 31, self_service_share: share(9.4, 6.7, 13),
  };
  const few = { calls: 14, answered: 12, transferred: 3, transfer_rate: share(25, 8.9, 53.2), hops_mean: 0.25, followed: 11, repeated: 4, repeat_contact: share(36.4, 15.2, 64.6), first_contacts: 10, solved: 6, solved_share: share(60, 31.3, 83.2), self_service_share: share(0, 0, 25.9) };
  return [
    line('all', '', much), line('topic', 'billing', { ...much, title: { en: 'Bills and payments', ru: 'Счета и оплата' }, calls: 453 }), line('topic', 'line_fault', few), line('topic', 'new_topic', { calls: 3 }),
    line('team', 'north', much), line('agent', 'priya', { ...few, title: { '': 'Priya Nair' } }),
  ];
}

/** INTEREST of a span of weeks: one that rises, one that falls, one of too few calls. */
export function interestData(weeks = 26) {
  const line = (by, service, state, change, slope, more) => {
    const weekly = Array.from({ length: weeks }, (_, i) => Math.max(0, Math.round(20 + slope * (i - weeks / 2) + 3 * Math.sin(i * 2.3))));
    return { by, service, queue: false, title: null, segment: '', region: '', weekly, calls: weekly.reduce((a, b) => a + b, 0), state, change, was: '', since: 0, ...more };
  };
  const up = { value: 14.2, low: 9.8, high: 18.8 }, down = { value: -8.1, low: -11.4, high: -4.7 };
  return {
    weeks: Array.from({ length: weeks }, (_, i) => (Date.UTC(2026, 4, 25) + i * 604_800_000) * 1000), callers_forgotten: false, left_out: 0,
    lines: [
      line('all', '', 'steady', { value: 1.1, low: -2, high: 4.3 }, 0), line('service', 'contract_end', 'falling', down, -0.7),
      line('service', 'fibre', 'rising', up, 1.1, { title: { en: 'Fibre at home', ru: 'Оптика домой' }, was: 'steady', since: Date.UTC(2026, 10, 16) * 1000 }),
      line('service', 'sales', 'unclear', null, 0, { queue: true, calls: 12, weekly: Array(weeks).fill(0).with(2, 12) }),
      line('segment', 'fibre', 'rising', up, 1, { segment: 'gold' }), line('segment', 'fibre', 'steady', { value: 0.4, low: -6, high: 7 }, 0, { segment: '' }),
      line('region', 'fibre', 'rising', up, 1, { region: 'north' }), line('segment_region', 'fibre', 'rising', up, 1, { segment: 'gold', region: 'north' }),
    ],
  };
}
