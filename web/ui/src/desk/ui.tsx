// What is open on the page, and how a refusal is told. Nothing here is known
// to the server.
import { createContext, useCallback, useContext, useMemo, useRef, useState } from 'react';
import { Refused } from './socket';
import { useWords } from './context';

export type Strip = 'closed' | 'open' | 'end';

export interface Ui {
  declining: boolean; setDeclining: (v: boolean) => void;
  transfer: boolean; setTransfer: (v: boolean) => void;
  strip: Strip; setStrip: (v: Strip) => void;
  search: boolean; setSearch: (v: boolean) => void;
  whoOpen: boolean; setWhoOpen: (v: boolean) => void;
  /** Does it and says why when the server refused. True when it was done. */
  run: (p: Promise<unknown>) => Promise<boolean>;
  refusal: string; setRefusal: (v: string) => void;
  /** The one main act of the page at this moment, for Ctrl Enter. */
  mainAct: React.RefObject<(() => void) | null>;
  closeTopmost: () => boolean;
}

const Context = createContext<Ui | null>(null);
export const UiProvider = Context.Provider;

export function useUi(): Ui {
  const u = useContext(Context);
  if (!u) throw new Error('no page around this part');
  return u;
}

const known = ['stale', 'not_now', 'unknown_target', 'no_customer', 'closed', 'too_many_transfers', 'not_a_number', 'number_not_allowed', 'disposition_required', 'timeout', 'failed', 'offline'];

export function useUiState(): Ui {
  const { t } = useWords();
  const [declining, setDeclining] = useState(false);
  const [transfer, setTransfer] = useState(false);
  const [strip, setStrip] = useState<Strip>('closed');
  const [search, setSearch] = useState(false);
  const [whoOpen, setWhoOpen] = useState(false);
  const [refusal, setRefusal] = useState('');
  const mainAct = useRef<(() => void) | null>(null);
  const run = useCallback(async (p: Promise<unknown>) => {
    try {
      await p;
      setRefusal('');
      return true;
    } catch (err) {
      const code = err instanceof Refused && known.includes(err.code) ? err.code : 'other';
      setRefusal(t(`refused.${code}`));
      return false;
    }
  }, [t]);
  return useMemo(() => ({
    declining, setDeclining, transfer, setTransfer, strip, setStrip, search, setSearch, whoOpen, setWhoOpen, run, refusal, setRefusal, mainAct,
    closeTopmost: () => {
      if (strip !== 'closed') setStrip('closed');
      else if (declining) setDeclining(false);
      else if (transfer) setTransfer(false);
      else if (search) setSearch(false);
      else if (whoOpen) setWhoOpen(false);
      else return false;
      return true;
    },
  }), [declining, transfer, strip, search, whoOpen, run, refusal]);
}
