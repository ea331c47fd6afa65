import { describe, expect, it } from 'vitest';
import { en } from './en';
import { ru } from './ru';

const plural = /_(?:ordinal_)?(?:zero|one|two|few|many|other)$/;
const base = (k: string) => k.replace(plural, '');

const files = import.meta.glob<string>('../**/*.{ts,tsx}', { query: '?raw', import: 'default', eager: true });
const code = Object.entries(files).filter(([path]) => !path.includes('.test.') && !path.startsWith('./')).map(([, text]) => text).join('\n');
/** Every quoted text that could be a key, and the fixed head of every template. */
const literals = new Set([...code.matchAll(/['"]([a-z_]+(?:\.[a-z0-9_]+)*)['"]/g)].map((m) => m[1]!));
const heads = [...code.matchAll(/`([a-z_]+\.[a-z_]*)\$\{[^`]*\}([a-z_]*)`/g)].map((m) => [m[1]!, m[2]!] as const);
const isUsed = (k: string) => literals.has(k) || heads.some(([h, t]) => k.startsWith(h) && k.endsWith(t));

describe('the catalogues', () => {
  const bases = { en: new Set(Object.keys(en).map(base)), ru: new Set(Object.keys(ru).map(base)) };

  it('hold the same keys', () => {
    expect([...bases.en].filter((k) => !bases.ru.has(k))).toEqual([]);
    expect([...bases.ru].filter((k) => !bases.en.has(k))).toEqual([]);
  });

  it.each([['en', en], ['ru', ru]] as const)('have every plural form of %s', (lang, all) => {
    const missing: string[] = [];
    for (const kind of ['cardinal', 'ordinal'] as const) {
      const forms = new Intl.PluralRules(lang, { type: kind }).resolvedOptions().pluralCategories;
      const mark = kind === 'ordinal' ? '_ordinal_' : '_';
      const counted = new Set(Object.keys(all).filter((k) => (kind === 'ordinal') === k.includes('_ordinal_') && k.endsWith(mark + 'other') && bases[lang].has(base(k))).map(base));
      for (const k of counted) for (const f of forms) if (!(k + mark + f in all) && isCounted(k)) missing.push(k + mark + f);
    }
    expect(missing).toEqual([]);
    // Keys that end in a word like "_other" and are not counted stand as they are.
    function isCounted(k: string) {
      return Object.keys(all).some((x) => base(x) === k && x !== k && /_(?:one|few|many|two)$/.test(x)) || (k + '_ordinal_other') in all;
    }
  });

  it('name the same places in both languages', () => {
    const places = (s: string) => [...s.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]!);
    const of = (all: Record<string, string>, k: string) => [...new Set(Object.keys(all).filter((x) => base(x) === k).flatMap((x) => places(all[x]!)))].sort();
    for (const k of bases.en) {
      // A language may say "one person" without the number.
      const without = (p: string[]) => p.filter((x) => x !== 'count');
      expect([k, without(of(en, k))]).toEqual([k, without(of(ru, k))]);
    }
  });

  it('hold no key that nothing uses', () => {
    expect([...bases.en].filter((k) => !isUsed(k) && !Object.keys(en).some((full) => full.startsWith(k) && isUsed(full)))).toEqual([]);
  });

  it('hold every key that the pages ask for', () => {
    const namespaces = new Set([...bases.en].filter((k) => k.includes('.')).map((k) => k.split('.')[0]!));
    const asked = [...literals].filter((k) => k.includes('.') && namespaces.has(k.split('.')[0]!));
    expect(asked.filter((k) => !bases.en.has(k) && !(k in en))).toEqual([]);
  });

  it('are whole in Cyrillic: no sentence left in English', () => {
    const latin = Object.entries(ru).filter(([, v]) => !/[а-яё]/i.test(v) && /[a-z]{3,}/i.test(v.replace(/\{\{\w+\}\}|Ctrl Enter|F2|Cordboard/g, '')));
    expect(latin).toEqual([]);
  });
});
