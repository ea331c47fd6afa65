import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import type { Desk } from './client';
import type { DeskState } from './store';

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const d = useContext(DeskContext);
  if (!d) throw new Error('no desk around this part of the page');
  return d;
}

export function useDeskState(): DeskState {
  const d = useDesk();
  return useSyncExternalStore(d.subscribe, d.snapshot);
}

/**
 * The server's clock in ms, read anew every second (or as told): when its
 * seconds change, so that all clocks of the page change together.
 */
export function useNow(everyMs = 1000): number {
  const d = useDesk();
  const [, tick] = useState(0);
  useEffect(() => {
    let h: ReturnType<typeof setTimeout>;
    const wait = () => {
      h = setTimeout(() => {
        tick((n) => n + 1);
        wait();
      }, everyMs - (d.now() % everyMs));
    };
    wait();
    return () => clearTimeout(h);
  }, [everyMs, d]);
  return d.now();
}

/** Translator and the page's language. */
export function useWords() {
  const { t, i18n } = useTranslation();
  return { t, lang: i18n.language };
}
