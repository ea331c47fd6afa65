// Small frames for the unit tests.
import type { Card, Welcome } from './protocol';

export const at = (s: number) => (1_800_000_000 + s) * 1_000_000;
export const ms = (s: number) => (1_800_000_000 + s) * 1000;

export const aCard = (over: Partial<Card> = {}): Card => ({
  call: 12, attempt: 1, agent: 'priya', phase: 'offered', since: at(0), until: 0, mode: 'auto', queue: 'billing', topic: '', set: 'care',
  caller: { number: '+447700900417', country: 'GB', trusted: true }, dialled: '+448081570142', trunk: 'main', arrived: at(-48),
  answer_within_s: 60, waited_s: 48, waited_before_s: 0, match: 'none', record: null, ...over,
});

export const aWelcome = (over: Partial<Welcome> = {}): Welcome => ({
  v: 1, session: 's1', resumed: false, heartbeat_s: 15, now: at(0), agent: { id: 'priya', name: 'Priya Nair', role: 'agent' },
  status: { agent: 'priya', state: 'available', since: at(-60), until: 0 }, topics: [{ id: 'line_fault', title: { en: 'Line fault' } }], queues: [{ id: 'billing', title: 'Billing' }],
  colleagues: [], dispositions: {}, reasons: ['lunch'], numbers: [], cards: [], ...over,
});
