import { expect, test } from 'vitest';
import { dueSince } from './review';

test('an answer is due from the first moment of its review day, and never without one', () => {
  const a = { id: 'bill', topic: '', lang: 'en', title: 'Bill', say: 'Let us look.' };
  const day = new Date(2027, 2, 31).getTime();
  expect(dueSince({ ...a, review: '2027-03-31' }, day - 1)).toBeNull();
  expect(dueSince({ ...a, review: '2027-03-31' }, day)).toBe(day);
  expect(dueSince(a, day)).toBeNull();
});
