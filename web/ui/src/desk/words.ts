// Codes and values of the server, as whole sentences.
import type { TFunction } from 'i18next';
import { dayInWords, money, shortDate } from '../format/intl';
import { type Caller, type Colleague, type Story, type Title, toMs } from './protocol';
import type { DeskState, LiveCard } from './store';

export interface Words { t: TFunction; lang: string; now: number }

/** A title in the page's language, and the language it is in when that is another. */
export function titleIn(title: string | Title | undefined, lang: string, fallback: string): string {
  if (!title) return fallback.replaceAll('_', ' ');
  if (typeof title === 'string') return title || fallback;
  return title[lang] ?? title[''] ?? title.en ?? Object.values(title)[0] ?? fallback.replaceAll('_', ' ');
}

export const topicTitle = (s: DeskState, id: string, lang: string) => titleIn(s.topics.find((x) => x.id === id)?.title, lang, id);
export const queueTitle = (s: DeskState, id: string, lang: string) => titleIn(s.queues.find((x) => x.id === id)?.title, lang, id);

const day = (v: unknown, w: Words) => {
  const ms = toMs(v);
  return ms ? dayInWords(ms, w.now, w.lang) : '';
};

/** What there is of the caller's number: it is shown, it came and is not to be shown (RFC 3323), or none came. */
export function numberIs(x: Caller): 'shown' | 'withheld' | 'absent' {
  if (x.number) return 'shown';
  return x.restricted && x.source && x.source !== 'none' ? 'withheld' : 'absent';
}

/** One code of the story as a sentence; "" for a code this desk does not know. */
export function storySentence(x: Story, s: DeskState, w: Words): string {
  const { t, lang } = w;
  switch (x.code) {
    case 'repeat_contact':
      return t(x.days ? 'story.repeat_contact_days' : 'story.repeat_contact', {
        count: x.n ?? 2, ordinal: true, days: t('days', { count: x.days ?? 0 }), topic: x.topic ? topicTitle(s, x.topic, lang) : t('story.same_matter'),
      });
    case 'promise_broken':
      return t('story.promise_broken', { by: day(x.by, w) });
    case 'promise_due':
      return t('story.promise_due', { by: day(x.by, w) });
    case 'ticket_late':
      return t('story.ticket_late', { id: x.id, title: x.title, count: x.days ?? 0 });
    case 'ticket_due':
      return t('story.ticket_due', { id: x.id, title: x.title, by: day(x.by, w) });
    case 'overdue':
      return x.money ? t('story.overdue', { money: money(x.money, lang), count: x.days ?? 0 }) : '';
    case 'asks':
      return x.text ? x.text : t('story.asks', { name: x.name });
    case 'passed_on':
      return x.text ? x.text : t('story.passed_on', { name: x.name });
    case 'last_note':
      return t('story.last_note', { text: x.text, day: toMs(x.at) ? shortDate(toMs(x.at), w.now, lang) : '' });
    case 'new_customer':
      return t('story.new_customer', { since: day(x.since, w) });
    case 'first_contact':
      return t('story.first_contact');
    default:
      return '';
  }
}

/** The story of a card; what can be said without one when there is none. */
export function storyOf(c: LiveCard, s: DeskState, w: Words): string[] {
  const said = (c.story ?? []).map((x) => storySentence(x, s, w)).filter(Boolean);
  if (said.length > 0) return said;
  switch (c.match) {
    case 'several':
      return [w.t('story.several')];
    case 'none':
      return [w.t({ shown: 'story.none', withheld: 'story.withheld_none', absent: 'story.withheld' }[numberIs(c.caller)])];
    case 'pending':
      return [w.t('story.pending')];
    case 'failed':
      return [w.t('story.failed')];
    default:
      return [w.t('story.quiet')];
  }
}

/** Why this agent: a few words at the end of the cord. */
export function whyYou(c: LiveCard, w: Words): string {
  const { t, lang } = w;
  const y = c.why;
  if (!y) return '';
  switch (y.prefer) {
    case 'last_agent': {
      const at = toMs(c.record?.last_agent_at);
      return at ? t('why.last_agent_on', { day: shortDate(at, w.now, lang) }) : t('why.last_agent');
    }
    case 'account_manager':
      return t('why.account_manager');
    case 'topic':
      return t('why.topic');
    case 'agent':
      return t('why.agent');
  }
  if (y.came_back) return t('why.came_back');
  switch (y.policy) {
    case 'longest_idle':
      return t('why.longest_idle');
    case 'most_skilled':
      return t('why.most_skilled');
    case 'least_occupied':
      return t('why.least_occupied');
    default:
      return '';
  }
}

/** A colleague's name as the desk knows it: a record may have been written under an older one, or under the id. */
export const nameOf = (s: DeskState, x: Colleague) => s.colleagues.find((y) => y.id === x.agent)?.name ?? x.name;

/** Whom this desk passed the call on to, as a sentence; "" when it has not. */
export function passedOn(c: LiveCard, s: DeskState, w: Pick<Words, 't' | 'lang'>): string {
  const to = c.passed;
  if (!to) return '';
  if ('topic' in to) return w.t('passed.topic', { name: topicTitle(s, to.topic, w.lang) });
  if ('queue' in to) return w.t('passed.queue', { name: queueTitle(s, to.queue, w.lang) });
  if ('number' in to) return w.t('passed.number', { name: to.number });
  return w.t('passed.agent', { name: s.colleagues.find((x) => x.id === to.agent)?.name ?? to.agent });
}

const backWhys = ['number_busy', 'number_no_answer', 'number_refused', 'number_unreachable'];

/** What became of the number that the call was passed on to. */
export const backWhy = (why: string, t: TFunction) => t(`back.${backWhys.includes(why) ? why : 'number_unreachable'}`);

/** The steps worth telling: the root of the routing document is on every way. */
export const stepsOf = (c: LiveCard) => (c.path ?? []).filter((p) => !(p.kind === 'route' && p.name === 'root'));

/** Who or what calls, for the big line of the bar. */
export function callerName(c: LiveCard, t: TFunction): string {
  if (c.record) return c.record.name;
  if (c.match === 'several') return t('caller.several', { count: c.candidates?.length ?? 0 });
  if (numberIs(c.caller) === 'absent') return t('caller.withheld');
  if (c.match === 'pending') return t('caller.pending');
  if (c.match === 'failed') return t('caller.failed');
  return t(c.caller.number ? 'caller.unknown' : 'caller.withheld');
}
