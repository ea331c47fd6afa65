// The states of the desk, each brought about through the protocol.
import { card, people, received } from './fixtures.mjs';

const us = (ms) => (Date.now() + ms) * 1000;

async function offer(x, c) {
  x.server.send('status', { agent: 'priya', state: 'offered', reason: '', since: us(0), until: 0, call: c.call });
  x.server.send('pop', c);
  await x.server.got('pop_ack', (d) => d.attempt === c.attempt);
}

const phase = (x, c, d) => x.server.send('phase', { call: c.call, attempt: c.attempt, ...d });
const state = (x, s, ago = 0) => x.server.send('status', { agent: 'priya', state: s, reason: '', since: us(-ago), until: 0, call: 12 });
const seen = (x, name) => x.id(name).first().waitFor();
const barIs = (x, p) => x.page.waitForSelector(`[data-testid=bar][data-phase=${p}]`);

function cardFor(x, over = {}) {
  const now = Date.now();
  if (x.lang !== 'ru') return card(now, over);
  return card(now, { record: people(now).marina, caller: { number: '+70005550147', country: 'RU', source: 'pai', trusted: true }, ...over });
}

async function talk(x, c = cardFor(x)) {
  await offer(x, c);
  phase(x, c, { phase: 'talking', since: us(-252_000) });
  state(x, 'talking', 252_000);
  await barIs(x, 'talking');
  return c;
}

/** What priya asks about her call, as her desk is told. */
function asking(x, c, over = {}) {
  x.server.send('consult', { call: c.call, attempt: c.attempt, consult: {
    call: 13, phase: 'talking', since: us(0), agent: 'petar', name: 'Petar Georgiev', topic: '', queue: 'support', note: 'Port 12 is full. Is there a spare one?', ...over,
  } });
  return seen(x, 'stop-asking');
}

async function asks(x) {
  const c = await talk(x);
  await asking(x, c);
  phase(x, c, { phase: 'hold', since: us(-31_000) });
  state(x, 'hold', 31_000);
  await barIs(x, 'hold');
  return c;
}

/** A question to priya: sofia's call, with its record. */
const question = (x, over = {}) => received(Date.now(), {
  call: 13, attempt: 1, question: true, set: '', queue: 'support', topic: 'line_fault', ...(x.lang === 'ru' && { record: people(Date.now()).marina }),
  story: [{ code: 'asks', name: 'Sofia Adler', text: 'Port 12 is full. Is there a spare one?' }],
  from: { agent: 'sofia', name: 'Sofia Adler', note: 'Port 12 is full. Is there a spare one?', at: us(-21_000), topic: '', talk_s: 271 }, ...over,
});

/** A call that a PBX has and tells of: no queue of ours has it. */
const pbxCall = (x) => cardFor(x, { pbx: true, queue: '', topic: '', set: '', mode: 'auto', answer_within_s: 0, waited_s: 0, waited_before_s: 0, trunk: 'pbx:office', why: {}, path: [{ at: us(-2000), kind: 'dialled', name: '+448081570142' }] });

export const scenes = {
  ready: async (x) => {
    await seen(x, 'colleagues');
    await seen(x, 'my-reviews');
  },
  not_ready: async (x) => {
    x.server.send('status', { agent: 'priya', state: 'not_ready', reason: 'phone_unreachable', since: us(-130_000), until: 0 });
    await x.page.waitForSelector('[data-agent-state=not_ready]');
  },
  offered: async (x) => {
    const c = cardFor(x);
    await offer(x, c);
    phase(x, c, { phase: 'may_accept', until: us(15_000) });
    await seen(x, 'answer');
  },
  lead: async (x) => {
    const c = cardFor(x, { mode: 'auto' });
    await offer(x, c);
    phase(x, c, { phase: 'lead', until: us(4000) });
    await barIs(x, 'lead');
  },
  ringing: async (x) => {
    const c = cardFor(x, { mode: 'auto' });
    await offer(x, c);
    phase(x, c, { phase: 'ringing', until: us(18_000), why: '' });
    state(x, 'ringing');
    await barIs(x, 'ringing');
  },
  declining: async (x) => {
    await scenes.offered(x);
    await x.id('decline').click();
    await seen(x, 'decline-reasons');
  },
  connecting: async (x) => {
    const c = cardFor(x);
    await offer(x, c);
    phase(x, c, { phase: 'connecting' });
    await barIs(x, 'connecting');
  },
  talking: async (x) => {
    await talk(x);
    await x.id('note').fill('Drops since 3 Nov, router restarted twice.');
    await seen(x, 'note-saved');
  },
  hold: async (x) => {
    const c = await talk(x);
    phase(x, c, { phase: 'hold', since: us(-72_000) });
    state(x, 'hold', 72_000);
    await barIs(x, 'hold');
  },
  transfer: async (x) => {
    await talk(x);
    await x.id('transfer').click();
    await seen(x, 'transfer-panel');
    await x.page.keyboard.press('1');
    await x.page.waitForSelector('[role=option][aria-selected=true]');
  },
  transfer_number: async (x) => {
    await talk(x);
    await x.id('transfer').click();
    await seen(x, 'transfer-panel');
    await x.page.keyboard.type('+44 20 7946 0911');
    await x.page.waitForSelector('[data-testid="to-number"][aria-selected=true]');
  },
  back: async (x) => {
    const c = cardFor(x, { back: 'number_busy', path: [{ at: us(-90_000), kind: 'dialled', name: '+448081570142' }, { at: us(-60_000), kind: 'agent', name: 'Priya Nair', seconds: 40 }, { at: us(-20_000), kind: 'number', name: '+44 20 7946 0911', why: 'number_busy' }] });
    await offer(x, c);
    phase(x, c, { phase: 'may_accept', until: us(15_000) });
    await seen(x, 'answer');
  },
  received: async (x) => {
    const c = received(Date.now(), x.lang === 'ru' ? { record: people(Date.now()).marina } : {});
    await offer(x, c);
    phase(x, c, { phase: 'may_accept', until: us(15_000) });
    await seen(x, 'answer');
  },
  pbx_rings: async (x) => {
    const c = pbxCall(x);
    x.server.send('pop', c);
    await x.server.got('pop_ack', (d) => d.call === c.call);
    phase(x, c, { phase: 'ringing', until: 0, why: '' });
    await barIs(x, 'ringing');
  },
  pbx_talks: async (x) => {
    await scenes.pbx_rings(x);
    phase(x, pbxCall(x), { phase: 'talking', since: us(-31_000) });
    x.server.send('status', { agent: 'priya', state: 'not_ready', reason: 'pbx_call', since: us(-40_000), until: 0, call: 0 });
    await barIs(x, 'talking');
  },
  asking_waits: async (x) => {
    const c = await talk(x);
    await asking(x, c, { phase: 'waiting', agent: '', name: '', topic: 'line_fault', queue: 'support' });
  },
  asking_rings: async (x) => {
    const c = await talk(x);
    await asking(x, c, { phase: 'ringing' });
    phase(x, c, { phase: 'hold', since: us(-5000) });
    await barIs(x, 'hold');
  },
  asking: async (x) => void (await asks(x)),
  asking_swapped: async (x) => {
    const c = await asks(x);
    phase(x, c, { phase: 'talking', since: us(-4000) });
    await barIs(x, 'talking');
  },
  asked_over: async (x) => {
    const c = await asks(x);
    x.server.send('consult', { call: c.call, attempt: c.attempt, consult: null, why: 'left' });
    phase(x, c, { phase: 'talking', since: us(-2000) });
    await x.page.waitForSelector('[data-testid=transfer]');
  },
  asked_offered: async (x) => {
    const c = question(x);
    await offer(x, c);
    phase(x, c, { phase: 'may_accept', until: us(15_000) });
    await seen(x, 'answer');
  },
  asked: async (x) => {
    const c = question(x);
    await offer(x, c);
    phase(x, c, { phase: 'talking', since: us(-31_000) });
    state(x, 'talking', 31_000);
    await barIs(x, 'talking');
  },
  company: async (x) => {
    await offer(x, card(Date.now(), { record: people(Date.now()).harbour }));
    await seen(x, 'products');
  },
  several: async (x) => {
    const p = people(Date.now());
    const c = card(Date.now(), { match: 'several', record: null, story: [], candidates: [p.ruth, p.tom, p.firm], caller: { number: '+441632960245', country: 'GB', source: 'pai', trusted: true } });
    await offer(x, c);
    phase(x, c, { phase: 'may_accept', until: us(15_000) });
    await seen(x, 'chooser');
  },
  several_confirmed: async (x) => {
    const p = people(Date.now());
    const number = '+441632960245';
    const by = (r, agent, name) => ({ ...r, numbers: [{ e164: number, label: 'home', ...(agent && { by: { agent, name }, confirmed_at: new Date(Date.now() - 9 * 86_400_000).toISOString() }) }] });
    const c = card(Date.now(), { match: 'several', shared: 3, record: null, story: [], candidates: [by(p.ruth, 'ann', 'Ann Ferris'), by(p.tom, 'bob', 'Bob Ure'), by(p.firm)], caller: { number, country: 'GB', source: 'pai', trusted: true } });
    await offer(x, c);
    phase(x, c, { phase: 'may_accept', until: us(15_000) });
    await seen(x, 'chooser');
  },
  linked: async (x) => {
    const { record } = cardFor(x);
    const numbers = [{ ...record.numbers[0], by: { agent: 'ann', name: 'Ann Ferris' }, confirmed_at: new Date(Date.now() - 9 * 86_400_000).toISOString() }, ...record.numbers.slice(1)];
    const c = cardFor(x, { record: { ...record, numbers } });
    await offer(x, c);
    phase(x, c, { phase: 'talking', since: us(-31_000) });
    state(x, 'talking', 31_000);
    await x.page.waitForSelector('[data-testid=number-fact]', { state: 'attached' }); // folded away in narrow windows
  },
  unknown: async (x) => void (await offer(x, card(Date.now(), { match: 'none', record: null, story: [], caller: { number: '+447700900555', country: 'GB', source: 'from', trusted: false } }))),
  unknown_talking: async (x) => {
    const c = card(Date.now(), { match: 'none', record: null, story: [], caller: { number: '+447700900555', country: 'GB', source: 'from', trusted: false } });
    await offer(x, c);
    phase(x, c, { phase: 'talking', since: us(-31_000) });
    state(x, 'talking', 31_000);
    await seen(x, 'link-form');
  },
  withheld: async (x) => void (await offer(x, card(Date.now(), { match: 'none', record: null, story: [], caller: { number: '', source: 'none', trusted: false, restricted: true } }))),
  withheld_known: async (x) => {
    const { record } = cardFor(x); // the server leaves out the number that is withheld
    await offer(x, cardFor(x, { record: { ...record, numbers: record.numbers.slice(1) }, caller: { number: '', source: 'pai', trusted: true, restricted: true } }));
  },
  pending: async (x) => void (await offer(x, card(Date.now(), { match: 'pending', record: null, story: [] }))),
  failed: async (x) => void (await offer(x, card(Date.now(), { match: 'failed', record: null, story: [] }))),
  sources: async (x) => {
    const c = cardFor(x), r = c.record, at = new Date(Date.now() - 20_000).toISOString();
    c.sources = [
      { name: 'billing', state: 'ok', at: us(-20_000), panels: ['money', 'products'] },
      { name: 'orders', state: 'loading', at: 0, panels: ['products'] },
      { name: 'crm', state: 'stale', at: us(-2_400_000), panels: ['tickets'] },
      { name: 'mail', state: 'failed', at: 0, panels: ['timeline'] },
    ];
    c.record = {
      ...r, billing_else: [{ ...r.billing, at: new Date(Date.now() - 86_400_000).toISOString() }],
      billing: { ...r.billing, balance: { ...r.billing.balance, minor: -4120 }, source: 'billing', at },
      products: [...r.products, { ...r.products[0], status: 'fault', source: 'billing' }],
      tickets: [...r.tickets, { id: 'C-9', title: 'Drops in the evening', kind: 'fault', status: 'open', opened_at: at, source: 'crm' }],
      facts: [{ name: 'Dunning level', value: '2', source: 'billing', at }],
    };
    await talk(x, c);
  },
  stale: async (x) => void (await offer(x, cardFor(x, { stale: true, record_at: us(-7_200_000) }))),
  wrap_up: async (x) => {
    const c = await talk(x);
    phase(x, c, { phase: 'wrap_up', until: us(38_000), disposition: 'required', set: 'care' });
    state(x, 'wrap_up');
    await seen(x, 'wrap-up');
  },
  wrap_up_asks: async (x) => {
    await scenes.wrap_up(x);
    await x.page.keyboard.press('3');
    await seen(x, 'ask-when');
    await x.page.keyboard.type(x.lang === 'ru' ? 'понедельник, 10:00' : 'Monday, 10:00');
  },
  gave_up: async (x) => {
    await scenes.offered(x);
    x.server.send('withdraw', { call: 12, attempt: 1, why: 'abandoned' });
    state(x, 'available');
    await seen(x, 'gone');
  },
  lost_talking: async (x) => {
    await talk(x);
    x.server.down = true;
    x.server.ws.terminate();
    await seen(x, 'lost');
  },
  lost_idle: async (x) => {
    x.server.down = true;
    x.server.ws.terminate();
    await seen(x, 'lost');
  },
  replaced: async (x) => {
    x.server.ws.close(4409);
    await seen(x, 'blocked-replaced');
  },
  keys: async (x) => {
    await talk(x);
    await x.page.keyboard.press('F2');
    await seen(x, 'keystrip');
  },
};

export { asking, asks, barIs, cardFor, offer, phase, question, seen, state, talk, us };
