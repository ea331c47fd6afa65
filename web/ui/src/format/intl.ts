// Dates, times, money and names of countries and languages, by the page's language.
import type { Money } from '../desk/protocol';

const cache = new Map<string, Intl.DateTimeFormat>();
function df(lang: string, o: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = lang + JSON.stringify(o);
  let f = cache.get(key);
  if (!f) cache.set(key, (f = new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, o)));
  return f;
}

export const clockTime = (ms: number, lang: string) => df(lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(ms);
export const clockSeconds = (ms: number, lang: string) => df(lang, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(ms);

export function sameDay(a: number, b: number): boolean {
  const x = new Date(a), y = new Date(b);
  return x.getFullYear() === y.getFullYear() && x.getMonth() === y.getMonth() && x.getDate() === y.getDate();
}

/** "12 Nov", with the year when it is not this one. */
export function shortDate(ms: number, now: number, lang: string): string {
  const year = new Date(ms).getFullYear() !== new Date(now).getFullYear();
  return df(lang, { day: 'numeric', month: 'short', year: year ? 'numeric' : undefined }).format(ms).replace(/\.$/, '');
}

/** As near as it is worth: a time today, a weekday within the week, else a date. */
export function nearDate(ms: number, now: number, lang: string): string {
  if (sameDay(ms, now)) return clockTime(ms, lang);
  if (Math.abs(now - ms) < 6 * 86_400_000) return df(lang, { weekday: 'short' }).format(ms) + ' ' + clockTime(ms, lang);
  return shortDate(ms, now, lang);
}

/** A day in words for a sentence: "today 18:00", a weekday, or a date. */
export function dayInWords(ms: number, now: number, lang: string): string {
  if (sameDay(ms, now)) return clockTime(ms, lang);
  if (Math.abs(now - ms) < 6 * 86_400_000) return df(lang, { weekday: 'short', day: 'numeric', month: 'short' }).format(ms).replace(',', '').replace(/\.$/, '');
  return shortDate(ms, now, lang);
}

/** The time of day where the customer is; "" when the zone is not known here. */
export function timeInZone(ms: number, zone: string | undefined, lang: string): string {
  if (!zone) return '';
  try {
    return new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone }).format(ms);
  } catch {
    return '';
  }
}

/** Money in the language's form. The sign is the caller's to tell in words. */
export function money(m: Money, lang: string, sign = false): string {
  try {
    const f = new Intl.NumberFormat(lang === 'en' ? 'en-GB' : lang, {
      style: 'currency', currency: m.currency, currencyDisplay: 'narrowSymbol', signDisplay: sign ? 'auto' : 'never',
    });
    return f.format(m.minor / 10 ** (f.resolvedOptions().maximumFractionDigits ?? 2));
  } catch {
    return `${m.minor / 100} ${m.currency}`;
  }
}

/** A whole amount, for sizes and not for bills. */
export function roundMoney(m: Money, lang: string): string {
  try {
    const f = new Intl.NumberFormat(lang === 'en' ? 'en-GB' : lang, { style: 'currency', currency: m.currency, currencyDisplay: 'narrowSymbol' });
    const whole = new Intl.NumberFormat(lang === 'en' ? 'en-GB' : lang, { style: 'currency', currency: m.currency, currencyDisplay: 'narrowSymbol', maximumFractionDigits: 0 });
    return whole.format(m.minor / 10 ** (f.resolvedOptions().maximumFractionDigits ?? 2));
  } catch {
    return money(m, lang);
  }
}

function display(type: 'region' | 'language', code: string | undefined, lang: string): string {
  if (!code) return '';
  try {
    return new Intl.DisplayNames([lang], { type }).of(code) ?? code;
  } catch {
    return code;
  }
}
export const countryName = (code: string | undefined, lang: string) => display('region', code, lang);
export function languageName(code: string | undefined, lang: string): string {
  const n = display('language', code, lang);
  return n && n.charAt(0).toLocaleUpperCase(lang) + n.slice(1);
}

/** 75 s is "1:15", an hour and more "1:02:03". */
export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const mm = Math.floor(s / 60) % 60, ss = String(s % 60).padStart(2, '0'), h = Math.floor(s / 3600);
  return h > 0 ? `${h}:${String(mm).padStart(2, '0')}:${ss}` : `${mm}:${ss}`;
}

export const number = (n: number, lang: string) => new Intl.NumberFormat(lang === 'en' ? 'en-GB' : lang).format(n);
export const percent = (x: number, lang: string) => new Intl.NumberFormat(lang === 'en' ? 'en-GB' : lang, { style: 'percent', maximumFractionDigits: 0 }).format(x);
export const list = (parts: string[], lang: string) => new Intl.ListFormat(lang, { type: 'conjunction' }).format(parts);
