import type { Answer } from './protocol';

/** When an answer's review fell due, as the beginning of that day here; null while it is not, or none is set. */
export function dueSince(a: Answer, now: number): number | null {
  if (!a.review) return null;
  const day = new Date(`${a.review}T00:00:00`).getTime();
  return day <= now ? day : null;
}
