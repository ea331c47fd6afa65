// What one person chose for one browser: theme, density, language, sound.
import { useSyncExternalStore } from 'react';

export interface Prefs { theme: 'auto' | 'light' | 'dark'; density: '13' | '14' | '16'; lang: 'en' | 'ru'; sound: boolean }

const key = 'cordboard.prefs';

function read(): Prefs {
  const wanted = (navigator.languages ?? []).map((l) => l.slice(0, 2)).find((l) => l === 'en' || l === 'ru');
  const d: Prefs = { theme: 'auto', density: '13', lang: wanted === 'ru' ? 'ru' : 'en', sound: true };
  try {
    return { ...d, ...(JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Prefs>) };
  } catch {
    return d;
  }
}

let prefs = read();
const listeners = new Set<() => void>();

function show(): void {
  const e = document.documentElement;
  if (prefs.theme === 'auto') delete e.dataset.theme;
  else e.dataset.theme = prefs.theme;
  e.dataset.density = prefs.density;
  e.lang = prefs.lang;
}

export const getPrefs = () => prefs;

export function setPrefs(p: Partial<Prefs>): void {
  prefs = { ...prefs, ...p };
  try {
    localStorage.setItem(key, JSON.stringify(prefs));
  } catch {
    // It holds for this page then.
  }
  show();
  for (const f of listeners) f();
}

export function usePrefs(): Prefs {
  return useSyncExternalStore((f) => {
    listeners.add(f);
    return () => void listeners.delete(f);
  }, getPrefs);
}

show();
