import { describe, expect, it } from 'vitest';
import { countryName, duration, languageName, money, nearDate, timeInZone } from './intl';
import { callingCode, formatNumber } from './phone';

describe('telephone numbers', () => {
  const uk = '+448081570142', ru = '+78005550100', bg = '+35920000000';
  it.each([
    ['+447700900417', uk, '07700 900417'],
    ['+441632960118', uk, '01632 960118'],
    ['+442079460018', uk, '020 7946 0018'],
    ['+448081570142', uk, '0808 157 0142'],
    ['+70005550147', ru, '8 (000) 555-01-47'],
    ['+447700900417', ru, '+44 7700 900417'],
    ['+70005550147', uk, '+7 000 555-01-47'],
    ['+15555550123', uk, '+1 555 555-0123'],
    ['+359000123456', bg, '0000 123 456'],
    ['+999123456789', uk, '+999 123 456 789'],
    ['2117', uk, '2117'],
    ['', uk, ''],
  ])('%s seen from %s is %s', (n, home, want) => expect(formatNumber(n, home)).toBe(want));
  it('knows where a country code ends', () => expect(['+12025550123', '+442079460018', '+35912345678', '+70005550147', 'x'].map(callingCode)).toEqual(['1', '44', '359', '7', '']));
});

describe('what people read', () => {
  it('writes money as the language does', () => {
    expect(money({ minor: 6420, currency: 'GBP' }, 'en')).toBe('£64.20');
    expect(money({ minor: -125050, currency: 'RUB' }, 'ru', true).replace(/\s/g, ' ')).toBe('-1 250,50 ₽');
    expect(money({ minor: 500, currency: 'JPY' }, 'en')).toMatch(/500$/);
    expect(money({ minor: 100, currency: 'bad!' }, 'en')).toBe('1 bad!');
  });
  it('counts time', () => expect([0, 59_900, 61_000, 3_723_000, -5].map(duration)).toEqual(['0:00', '0:59', '1:01', '1:02:03', '0:00']));
  it('names a time today, a weekday within the week, a date before', () => {
    const now = new Date(2026, 10, 19, 14, 32).getTime();
    expect(nearDate(new Date(2026, 10, 19, 9, 5).getTime(), now, 'en')).toBe('09:05');
    expect(nearDate(new Date(2026, 10, 18, 19, 40).getTime(), now, 'en')).toBe('Wed 19:40');
    expect(nearDate(new Date(2026, 10, 2, 12, 0).getTime(), now, 'en')).toBe('2 Nov');
    expect(nearDate(new Date(2025, 10, 2, 12, 0).getTime(), now, 'en')).toBe('2 Nov 2025');
  });
  it('takes no harm from codes nobody knows', () => {
    expect(timeInZone(0, 'Mars/Olympus', 'en')).toBe('');
    expect(countryName('nonsense', 'en')).toBe('nonsense');
    expect(languageName('ru', 'ru')).toBe('Русский');
  });
});
