import { describe, expect, it } from 'vitest';
import { goalEnd, secondsLeft } from './clocks';
import { reduce, emptyState } from './store';
import { aCard, at, aWelcome, ms } from './testdata';

const shown = (over: object) => {
  const s = reduce(emptyState, { a: 'welcome', w: aWelcome(), localNow: ms(0) });
  return reduce(s, { a: 'frame', f: { t: 'pop', seq: 1, at: at(0), d: aCard(over) } }).cards[0]!;
};

describe('two countdowns side by side', () => {
  it('show one number when they end within a moment of each other', () => {
    // The caller had waited 0.9 s, told as 0; the phone rings for 20 s.
    const c = { ...shown({ answer_within_s: 20, waited_s: 0 }), endsAt: ms(20) + 400 };
    for (let t = 0; t < 20_000; t += 50) expect(secondsLeft(goalEnd(c), ms(0) + t)).toBe(secondsLeft(c.endsAt, ms(0) + t));
  });
  it('go their own ways when they are about different times', () => {
    const c = { ...shown({ answer_within_s: 60, waited_s: 48 }), endsAt: ms(20) };
    expect(goalEnd(c)).toBe(ms(12));
    expect(goalEnd({ ...c, endsAt: 0 })).toBe(ms(12));
    expect(goalEnd(shown({ answer_within_s: 0 }))).toBe(0);
  });
  it('end at 0 and not before', () => {
    expect(secondsLeft(ms(10), ms(0) + 1)).toBe(10);
    expect(secondsLeft(ms(10), ms(10))).toBe(0);
    expect(secondsLeft(ms(10), ms(11) + 200)).toBe(-1);
  });
});
