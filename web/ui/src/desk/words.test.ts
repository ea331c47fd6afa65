import { createInstance } from 'i18next';
import { beforeAll, describe, expect, it } from 'vitest';
import { en } from '../i18n/en';
import { ru } from '../i18n/ru';
import { agrees, fold } from './matcher';
import type { CustomerRecord, Story } from './protocol';
import { emptyState, reduce, type Target } from './store';
import { aCard, at, aWelcome, ms } from './testdata';
import { callerName, nameOf, numberIs, passedOn, storyOf, storySentence, titleIn, whyYou, type Words } from './words';

const i18n = createInstance();
beforeAll(() => i18n.init({ lng: 'en', resources: { en: { translation: en }, ru: { translation: ru } }, keySeparator: false, nsSeparator: false, interpolation: { escapeValue: false } }));
const words = (lang: string): Words => ({ t: i18n.getFixedT(lang), lang, now: ms(0) });
const state = reduce(emptyState, { a: 'welcome', w: aWelcome(), localNow: ms(0) });

describe('sentences from codes', () => {
  const all: [Story, string, string][] = [
    [{ code: 'repeat_contact', n: 2, topic: 'line_fault' }, '2nd contact about Line fault.', '2-е обращение: Line fault.'],
    [{ code: 'repeat_contact', n: 4, days: 14, topic: 'gone_topic' }, '4th contact in 14 days about gone topic.', '4-е обращение за 14 дней: gone topic.'],
    [{ code: 'repeat_contact', n: 3, days: 2 }, '3rd contact in 2 days about the same matter.', '3-е обращение за 2 дня: тот же вопрос.'],
    [{ code: 'ticket_late', id: 'T-1', title: 'Refund', days: 1 }, 'T-1 “Refund” is late by 1 day.', 'T-1 «Refund»: опоздание 1 день.'],
    [{ code: 'ticket_late', id: 'T-1', title: 'Refund', days: 5 }, 'T-1 “Refund” is late by 5 days.', 'T-1 «Refund»: опоздание 5 дней.'],
    [{ code: 'ticket_late', id: 'T-1', title: 'Refund', days: 0 }, 'T-1 “Refund” was due today.', 'T-1 «Refund»: срок был сегодня.'],
    [{ code: 'passed_on', name: 'Sofia', text: 'Fix a date.' }, 'Fix a date.', 'Fix a date.'],
    [{ code: 'passed_on', name: 'Sofia', text: '' }, 'Passed on by Sofia.', 'Передано: Sofia.'],
    [{ code: 'first_contact' }, 'First contact with us.', 'Первое обращение к нам.'],
    [{ code: 'of_a_later_version' }, '', ''],
  ];
  it.each(all)('%j', (story, english, russian) => {
    expect(storySentence(story, state, words('en'))).toBe(english);
    expect(storySentence(story, state, words('ru'))).toBe(russian);
  });

  it('leave no place unfilled, whatever is missing', () => {
    for (const code of ['repeat_contact', 'promise_broken', 'promise_due', 'ticket_late', 'ticket_due', 'overdue', 'passed_on', 'last_note', 'new_customer', 'first_contact'])
      for (const lang of ['en', 'ru']) expect(storySentence({ code, by: at(-3 * 86_400), days: 2, n: 2, id: 'T', title: 'x', money: { minor: 5, currency: 'GBP' }, name: 'n', text: 'x', at: at(-9), since: '2026-01-01' }, state, words(lang))).not.toMatch(/\{\{|story\./);
  });

  it('say something of a card without a story', () => {
    const card = (over: object) => reduce(state, { a: 'frame', f: { t: 'pop', seq: 1, at: at(0), d: aCard(over) } }).cards[0]!;
    for (const match of ['several', 'none', 'pending', 'failed', 'exact']) expect(storyOf(card({ match }), state, words('en'))[0]).toMatch(/\.$/);
    expect(whyYou(card({ why: { prefer: 'topic' } }), words('en'))).toBe('first free specialist');
    expect(whyYou(card({ why: { policy: 'longest_idle' } }), words('ru'))).toBe('дольше всех без звонка');
    expect(whyYou(card({}), words('en'))).toBe('');
  });

  it('take a title in the page’s language, for every language, or what there is', () => {
    expect(titleIn({ en: 'A', ru: 'Б' }, 'ru', 'x')).toBe('Б');
    expect(titleIn({ '': 'Any', ru: 'Б' }, 'en', 'x')).toBe('Any');
    expect(titleIn({ bg: 'В' }, 'en', 'x')).toBe('В');
    expect(titleIn({}, 'en', 'line_fault')).toBe('line fault');
    expect(titleIn(undefined, 'en', 'line_fault')).toBe('line fault');
  });
});

describe('a number that is not shown', () => {
  const withheld = { number: '', source: 'pai', trusted: true, restricted: true };
  const card = (over: object) => reduce(state, { a: 'frame', f: { t: 'pop', seq: 1, at: at(0), d: aCard(over) } }).cards[0]!;
  it.each([
    [{ number: '+447700900417', source: 'pai', restricted: false }, 'shown'], [withheld, 'withheld'], [{ ...withheld, source: 'from', trusted: false }, 'withheld'],
    [{ number: '', source: 'none', restricted: true }, 'absent'], [{ number: '', source: 'none' }, 'absent'],
  ])('%j is %s', (caller, is) => expect(numberIs(caller)).toBe(is));
  it('is looked up like any other', () => {
    const { t } = words('en');
    expect(callerName(card({ caller: withheld, match: 'pending' }), t)).toBe('Looking up the caller');
    expect(callerName(card({ caller: withheld, match: 'failed' }), t)).toBe('Caller not looked up');
    expect(callerName(card({ caller: withheld, match: 'none' }), t)).toBe('Number withheld');
    expect(storyOf(card({ caller: withheld, match: 'none' }), state, words('en'))).toEqual(['The withheld number is on no account. Ask for a number to ring.']);
  });
});

describe('the matcher', () => {
  const r = { id: 'LW-204 118 63', name: 'Ольга Фёдорова-Штейн' } as CustomerRecord;
  it.each([['ольга', true], ['федорова', true], ['Штейн Ольга', true], ['Анна', false], ['о', null], ['', null]])('name %j: %s', (said, want) => expect(agrees.name(r, said)).toBe(want));
  it.each([['863', null], ['1863', true], ['118 63', true], ['999', false], ['63', null]])('number %j', (said, want) => expect(agrees.id(r, said)).toBe(want === null && said === '863' ? true : want));
  it('folds case, accents and ё', () => expect(fold('  ÉLAN Ёж')).toBe('elan еж'));
});

describe('a colleague', () => {
  const s = reduce(state, { a: 'frame', f: { t: 'colleagues', seq: 1, at: at(0), d: [{ id: 'petar', name: 'Petar Georgiev' }] } });
  it('has the name of today, and one who is gone the name on record', () => {
    expect(nameOf(s, { agent: 'petar', name: 'petar' })).toBe('Petar Georgiev');
    expect(nameOf(s, { agent: 'marek', name: 'Marek Sobol' })).toBe('Marek Sobol');
  });
});

describe('a call passed on', () => {
  const to = (target: Target | null, lang: string) => {
    const s = reduce(state, { a: 'frame', f: { t: 'colleagues', seq: 1, at: at(0), d: [{ id: 'petar', name: 'Petar Georgiev' }] } });
    const shown = reduce(s, { a: 'frame', f: { t: 'pop', seq: 2, at: at(0), d: aCard() } });
    return passedOn({ ...shown.cards[0]!, passed: target }, shown, words(lang));
  };
  it.each<[Target | null, string, string]>([
    [{ topic: 'line_fault' }, 'Passed on to Line fault', 'Передано: Line fault'],
    [{ queue: 'billing' }, 'Passed on to queue Billing', 'Передано в очередь: Billing'],
    [{ agent: 'petar' }, 'Passed on to Petar Georgiev', 'Передано коллеге: Petar Georgiev'],
    [null, '', ''],
  ])('%j', (target, english, russian) => {
    expect(to(target, 'en')).toBe(english);
    expect(to(target, 'ru')).toBe(russian);
  });
});
