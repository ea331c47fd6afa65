// A search for interactions by their words: what was found so far, and the next page.
import { useCallback, useRef, useState } from 'react';
import { HttpError, type SearchFound, type SearchHit } from '../api/http';

const said = ['bad_search', 'not_now', 'no_customer', 'too_many'];

export interface Searching {
  words: string; setWords: (words: string) => void;
  /** What is being looked for, or was; "" while nothing is. */
  asked: string;
  hits: SearchHit[];
  next: string;
  waiting: number;
  busy: boolean;
  refusal: string;
  start: () => void;
  /** The same once more, of what there is now. */
  again: () => void;
  more: () => void;
  end: () => void;
}

const nothing = { asked: '', hits: [] as SearchHit[], next: '', waiting: 0, busy: false, refusal: '' };

export function useSearch(find: (words: string, after: string) => Promise<SearchFound>, onSignedOut?: () => void): Searching {
  const [words, setWords] = useState('');
  const [s, setS] = useState(nothing);
  const turn = useRef(0);
  const ask = useCallback(async (looked: string, before: SearchHit[], after: string) => {
    const mine = ++turn.current;
    setS((x) => (after ? { ...x, busy: true, refusal: '' } : { ...nothing, asked: looked, busy: true }));
    try {
      const f = await find(looked, after);
      if (mine === turn.current) setS({ asked: looked, hits: [...before, ...f.hits], next: f.next, waiting: f.waiting, busy: false, refusal: '' });
    } catch (err) {
      if (mine !== turn.current) return;
      if (err instanceof HttpError && err.status === 401) onSignedOut?.();
      setS((x) => ({ ...x, busy: false, refusal: err instanceof HttpError && said.includes(err.code) ? err.code : 'other' }));
    }
  }, [find, onSignedOut]);
  return {
    words, setWords, ...s,
    start: () => { if (words.trim()) void ask(words.trim(), [], ''); },
    again: () => { if (s.asked) void ask(s.asked, [], ''); },
    more: () => void ask(s.asked, s.hits, s.next),
    end: () => { turn.current++; setWords(''); setS(nothing); },
  };
}
