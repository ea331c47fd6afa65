// Compares what a caller says with people not yet opened: only whether it
// agrees leaves this file, never what is on record.
import type { CustomerRecord } from './protocol';

export const letters = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'];

/** Folds case, accents and е/ё, so that what is heard can be typed any way. */
export const fold = (s: string) => s.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase().replaceAll('ё', 'е').trim();

const digits = (s: string) => s.replace(/\D/g, '');

export const agrees = {
  /** Every word said begins a word of the name; null while too little is said. */
  name(r: CustomerRecord, said: string): boolean | null {
    const words = fold(said).split(/\s+/).filter((w) => w.length >= 2);
    if (words.length === 0) return null;
    const names = fold(r.name).split(/[\s-]+/);
    return words.every((w) => names.some((n) => n.startsWith(w)));
  },
  /** The end of the customer number, from three digits on. */
  id(r: CustomerRecord, said: string): boolean | null {
    const d = digits(said);
    if (d.length < 3) return null;
    return digits(r.id).endsWith(d);
  },
};
