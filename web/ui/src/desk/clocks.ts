// What counts down on the desk, so that two clocks never tell two stories.
import type { LiveCard } from './store';

/** Ends that lie nearer to each other than this are told as one, in ms. */
const together = 1500;

/**
 * When the time to answer runs out, in ms of the server's clock; 0 for no goal.
 * What the caller had waited before comes in whole seconds, so that beside a
 * phase that ends within a moment of it the phase's end, which is exact, counts
 * for both.
 */
export function goalEnd(c: LiveCard): number {
  if (c.answer_within_s <= 0) return 0;
  const end = c.shownAt + (c.answer_within_s - c.waited_s) * 1000;
  return c.endsAt > 0 && Math.abs(c.endsAt - end) < together ? c.endsAt : end;
}

/** Whole seconds left as a countdown shows them: it is over when 0 stands there. */
export const secondsLeft = (to: number, now: number): number => Math.ceil((to - now) / 1000);
