import { describe, expect, it } from 'vitest';
import type { PhaseChange, ServerFrame } from './protocol';
import { type Action, cardInHand, type DeskState, draftOf, emptyState, reduce, waitedMs } from './store';
import { aCard, at, aWelcome, ms } from './testdata';

let seq = 0;
const frame = (t: ServerFrame['t'], d: unknown, s = 0): Action => ({ a: 'frame', f: { t, d, seq: ++seq, at: at(s) } as ServerFrame });
const phase = (p: PhaseChange['phase'], s: number, more: Partial<PhaseChange> = {}) => frame('phase', { call: 12, attempt: 1, phase: p, ...more }, s);
const run = (...actions: Action[]): DeskState => actions.reduce(reduce, reduce(emptyState, { a: 'welcome', w: aWelcome(), localNow: ms(0) - 500 }));

describe('the desk’s state', () => {
  it('keeps the server’s clock', () => expect(run().offset).toBe(500));

  it('shows an offer and follows its phases', () => {
    const s = run(frame('pop', aCard()), phase('may_accept', 1, { until: at(16) }));
    expect(cardInHand(s)).toMatchObject({ phase: 'may_accept', endsAt: ms(16), shownAt: ms(0) });
  });

  it('drops a phase, a card and a withdrawal of an older attempt', () => {
    const s = run(frame('pop', aCard({ attempt: 2 })));
    const later = [phase('talking', 2), frame('card', aCard({ attempt: 1, phase: 'talking' })), frame('withdraw', { call: 12, attempt: 1, why: 'rona' })].reduce(reduce, s);
    expect(later.cards).toEqual(s.cards);
  });

  it('clears a withdrawn card at once and keeps nothing personal of it', () => {
    const s = run(frame('pop', aCard()), { a: 'write', call: 12, text: 'private' }, frame('withdraw', { call: 12, attempt: 1, why: 'abandoned' }, 4));
    expect(s.cards).toEqual([]);
    expect(s.drafts).toEqual({});
    expect(s.gone).toEqual({ why: 'abandoned', at: ms(4), waitedMs: 52_000 });
  });

  it('shows how a question stands, and why it is over until the next hold', () => {
    const asked = { call: 13, phase: 'talking', since: at(20), agent: 'petar', name: 'Petar', topic: '', queue: 'care', note: 'A spare port?' };
    const s = run(frame('pop', aCard()), phase('talking', 10), frame('consult', { call: 12, attempt: 1, consult: asked }), phase('hold', 20),
      frame('card', aCard({ phase: 'hold', consult: asked } as object)), frame('consult', { call: 12, attempt: 2, consult: null, why: 'rona' }));
    expect(cardInHand(s)).toMatchObject({ consult: asked, askedWhy: '' });
    const over = [frame('consult', { call: 12, attempt: 1, consult: null, why: 'left' }), phase('talking', 30)].reduce(reduce, s);
    expect(cardInHand(over)).toMatchObject({ consult: null, askedWhy: 'left' });
    expect(cardInHand(reduce(over, phase('hold', 40)))).toMatchObject({ askedWhy: '' });
  });

  it('goes on with what was being written when the call is handed over', () => {
    const s = run(frame('pop', aCard({ call: 13, question: true } as object)), frame('phase', { call: 13, attempt: 1, phase: 'talking' }), { a: 'write', call: 13, text: 'Port 14 is' },
      frame('pop', aCard({ attempt: 2, phase: 'talking', note: 'Port' })), frame('phase', { call: 13, attempt: 1, phase: 'done' }));
    expect(s.cards.map((c) => c.call)).toEqual([12]);
    expect(draftOf(s, 12)).toMatchObject({ text: 'Port 14 is', sent: 'Port' });
  });

  it('counts the wait until the talk and not into it', () => {
    const s = run(frame('pop', aCard()), phase('talking', 10, { since: at(10) }));
    expect(waitedMs(cardInHand(s)!, ms(500))).toBe(58_000);
  });

  it('keeps the talk’s beginning over a hold, and logs how long the hold was', () => {
    const s = run(frame('pop', aCard()), phase('talking', 10, { since: at(10) }), phase('hold', 40, { since: at(40) }), phase('talking', 75, { since: at(10) }));
    const c = cardInHand(s)!;
    expect(c.talkAt).toBe(ms(10));
    expect(c.log.map((e) => [e.what, e.at, e.ms])).toEqual([['offered', ms(0), undefined], ['talking', ms(10), undefined], ['hold', ms(40), undefined], ['resumed', ms(75), 35_000]]);
  });

  it('wraps up with what the queue asks, and is done with done', () => {
    const s = run(frame('pop', aCard()), phase('talking', 10), phase('wrap_up', 60, { until: at(90), disposition: 'required', set: 'care' }));
    expect(cardInHand(s)).toMatchObject({ phase: 'wrap_up', disposition: 'required', overAt: ms(60), endsAt: ms(90) });
    expect(reduce(s, phase('done', 70)).cards).toEqual([]);
  });

  it('draws a call in wrap-up after a reload with the length of its talk', () => {
    const s = reduce(emptyState, { a: 'welcome', w: aWelcome({ cards: [aCard({ phase: 'wrap_up', since: at(-5), talk_since: at(-100), talk_s: 95, disposition: 'optional' })] }), localNow: ms(0) });
    const c = cardInHand(s)!;
    expect(c.overAt - c.talkAt).toBe(95_000);
  });

  it('forgets all cards on a welcome that does not resume, and none on one that does', () => {
    const s = run(frame('pop', aCard()));
    expect(reduce(s, { a: 'welcome', w: aWelcome({ resumed: true }), localNow: ms(1) }).cards).toHaveLength(1);
    expect(reduce(s, { a: 'welcome', w: aWelcome(), localNow: ms(1) }).cards).toHaveLength(0);
  });

  it('acks again on every new line', () => {
    const s = run();
    expect(reduce(s, { a: 'welcome', w: aWelcome({ resumed: true }), localNow: ms(1) }).line).toBe(s.line + 1);
  });

  it('does not write the server’s older note over what is being written', () => {
    const s = run(frame('pop', aCard({ note: 'old' })), { a: 'write', call: 12, text: 'old and new' }, frame('card', aCard({ note: 'old' })));
    expect(draftOf(s, 12)).toMatchObject({ text: 'old and new', sent: 'old' });
    const saved = [{ a: 'saved', call: 12, text: 'old and new', at: ms(5) } as Action, frame('card', aCard({ note: 'from elsewhere' }))].reduce(reduce, s);
    expect(draftOf(saved, 12).text).toBe('from elsewhere');
  });

  it('keeps a draft over a line that was not resumed', () => {
    const s = run(frame('pop', aCard()), { a: 'write', call: 12, text: 'unsent' });
    const back = reduce(s, { a: 'welcome', w: aWelcome({ cards: [aCard({ phase: 'talking', note: '' })] }), localNow: ms(9) });
    expect(draftOf(back, 12).text).toBe('unsent');
  });

  it('remembers where the call was passed on to until the card goes', () => {
    const s = run(frame('pop', aCard()), phase('talking', 5), { a: 'passed', call: 12, attempt: 1, to: { topic: 'line_fault' } }, phase('wrap_up', 9), frame('card', aCard({ phase: 'wrap_up' })));
    expect(cardInHand(s)!.passed).toEqual({ topic: 'line_fault' });
    const back = reduce(s, { a: 'welcome', w: aWelcome({ cards: [aCard({ phase: 'wrap_up' })] }), localNow: ms(12) });
    expect(cardInHand(back)!.passed).toEqual({ topic: 'line_fault' });
    // Nobody took it and it is offered here again: another attempt.
    expect(cardInHand(reduce(back, frame('pop', aCard({ attempt: 2 }))))!.passed).toBeNull();
    expect(cardInHand(reduce(s, { a: 'passed', call: 12, attempt: 2, to: { queue: 'billing' } }))!.passed).toEqual({ topic: 'line_fault' });
  });

  it('puts an offer before the wrap-up of an older call', () => {
    const s = run(frame('pop', aCard()), phase('wrap_up', 5), frame('pop', aCard({ call: 13 }), 6));
    expect(cardInHand(s)!.call).toBe(13);
  });

  it('knows that a candidate was chosen', () => {
    const s = run(frame('pop', aCard({ match: 'several', candidates: [] })), frame('card', aCard({ match: 'exact', record: { id: 'C1', version: 1, name: 'N', numbers: [], products: null, tickets: null, interactions: null, contacts: 0 } })));
    expect(cardInHand(s)!.chosen).toBe(true);
  });

  it('keeps the list of colleagues by what has changed of it', () => {
    const all = [{ id: 'ann', name: 'Ann', state: 'available', since: at(-9) }, { id: 'petar', name: 'Petar', state: 'talking', since: at(-5) }];
    const s = run(frame('colleagues', all), frame('colleagues_changed', []), frame('colleagues_changed', [{ id: 'petar', state: 'wrap_up', since: at(1) }, { id: 'carl', name: 'Carl', state: 'available', since: at(2) }]));
    expect(s.colleagues).toEqual([all[0], { id: 'carl', name: 'Carl', state: 'available', since: at(2) }, { id: 'petar', name: 'Petar', state: 'wrap_up', since: at(1) }]);
    expect(reduce(s, frame('colleagues_changed', [{ id: 'ann', name: 'Anna', state: 'talking', since: at(3) }])).colleagues[0]!.name).toBe('Anna');
    expect(reduce(s, frame('colleagues', [all[0]])).colleagues).toEqual([all[0]]);
  });

  it('never changes a state in place', () => {
    const s = run(frame('pop', aCard()));
    const copy = structuredClone(s);
    [phase('ringing', 1, { until: at(9), why: '' }), phase('talking', 2), frame('status', { agent: 'priya', state: 'talking', since: at(2), until: 0 })].reduce(reduce, s);
    expect(s).toEqual(copy);
  });

  it('leaves a frame it does not know alone', () => {
    const s = run(frame('pop', aCard()));
    expect(reduce(s, frame('weather' as never, {})).cards).toEqual(s.cards);
  });
});
