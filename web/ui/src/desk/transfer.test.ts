import { describe, expect, it } from 'vitest';
import { emptyState, reduce } from './store';
import { aCard, at, aWelcome, ms } from './testdata';
import { targets } from './Transfer';

const welcome = aWelcome({
  topics: ['contract_end', 'disputed_bill', 'line_fault'].map((id) => ({ id })), queues: ['billing', 'care', 'internet'].map((id) => ({ id })),
  colleagues: [{ id: 'owen', name: 'Owen', state: 'signed_out' }, { id: 'petar', name: 'Petar', state: 'available' }, { id: 'priya', name: 'Priya', state: 'talking' }],
});
const rows = (over: object) => {
  const s = reduce(reduce(emptyState, { a: 'welcome', w: welcome, localNow: ms(0) }), { a: 'frame', f: { t: 'pop', seq: 1, at: at(0), d: aCard(over) } });
  return targets(s, s.cards[0]!, 'en').map((r) => `${r.digit} ${r.key}${r.likely ? ' likely' : ''}`);
};

describe('whom a call can be passed on to', () => {
  it('has the same digits whatever the call is about and wherever it is', () => {
    expect(rows({ queue: 'care', topic: '' })).toEqual(['1 topic:contract_end', '2 topic:disputed_bill', '3 topic:line_fault', '4 queue:billing', '6 queue:internet', '7 agent:petar']);
    expect(rows({ queue: 'internet', topic: 'line_fault' })).toEqual(['1 topic:contract_end', '2 topic:disputed_bill', '3 topic:line_fault likely', '4 queue:billing', '5 queue:care', '7 agent:petar']);
  });
});
