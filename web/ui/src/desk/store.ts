// What the desk knows, and how each frame changes it. Pure: no clock, no
// socket, no DOM; the instant comes with the action.
import {
  type Answer, type Card, type ConsultChange, type ColleagueChange, type ColleagueState, type Disposition, isOffer, isTalk, type Phase, type PhaseChange,
  type ServerFrame, type Status, type Title, toMs, type Welcome, type Withdrawal,
} from './protocol';
import type { Link } from './socket';

/** Something that happened in the call while this page watched it. */
export interface LogEntry { at: number; what: 'offered' | 'ringing' | 'talking' | 'hold' | 'resumed' | 'over' | 'answer'; text?: string; ms?: number }

/** A card with what the page has seen of it. Instants are server time, in ms. */
export interface LiveCard extends Omit<Card, 'disposition'> {
  disposition?: 'off' | 'optional' | 'required';
  /** The agent has said which of several candidates it is. */
  chosen: boolean;
  /** When this offer reached the desk: waited_s counts on from here. */
  shownAt: number;
  /** When the present phase began, and when it ends by itself (0: never). */
  phaseAt: number;
  endsAt: number;
  /** First instant of talking, and the end of the call; 0 before. */
  talkAt: number;
  overAt: number;
  ringWhy: string;
  log: LogEntry[];
  /** Where this desk passed the call on to; null while it has not. */
  passed: Target | null;
  /** How the last question that was asked about it has ended; "" before. */
  askedWhy: string;
}

/** Whom a call is passed on to. */
export type Target = { topic: string } | { queue: string } | { agent: string } | { number: string };

/** What the agent writes, kept on this side until the server has it. */
export interface Draft { text: string; sent: string; savedAt: number; outcome: string; answers: Record<string, string>; edited: boolean }

export interface DeskState {
  link: Link;
  /** Server clock minus ours, in ms. */
  offset: number;
  /** When the server was last heard, server time in ms. */
  asOf: number;
  me: { id: string; name: string; autoAnswer: boolean } | null;
  status: Status | null;
  topics: { id: string; title?: Title }[];
  queues: { id: string; title?: string | Title }[];
  colleagues: ColleagueState[];
  dispositions: Record<string, Disposition[]>;
  reasons: string[];
  /** Countries whose numbers calls may be passed on to; none: to no number. */
  numbers: string[];
  cards: LiveCard[];
  drafts: Record<number, Draft>;
  /** The last offer that was taken away, without anything personal. */
  gone: { why: string; at: number; waitedMs: number } | null;
  /** Grows with every new line, so that an offer is acked again on it. */
  line: number;
}

export type Action =
  | { a: 'link'; link: Link }
  | { a: 'welcome'; w: Welcome; localNow: number }
  | { a: 'frame'; f: ServerFrame }
  | { a: 'write'; call: number; text: string }
  | { a: 'saved'; call: number; text: string; at: number }
  | { a: 'outcome'; call: number; id: string }
  | { a: 'asked'; call: number; field: string; text: string }
  | { a: 'used'; call: number; answer: Answer; agent: string; at: number }
  | { a: 'passed'; call: number; attempt: number; to: Target }
  | { a: 'forget_gone' };

export const emptyState: DeskState = {
  link: { is: 'closed' }, offset: 0, asOf: 0, me: null, status: null, topics: [], queues: [], colleagues: [],
  dispositions: {}, reasons: [], numbers: [], cards: [], drafts: {}, gone: null, line: 0,
};

const noDraft: Draft = { text: '', sent: '', savedAt: 0, outcome: '', answers: {}, edited: false };

export const draftOf = (s: DeskState, call: number): Draft => s.drafts[call] ?? noDraft;

/** The card on screen: an offer before a call in hand before an old one. */
export function cardInHand(s: DeskState): LiveCard | null {
  return s.cards.find((c) => isOffer(c.phase) || c.phase === 'connecting')
    ?? s.cards.find((c) => isTalk(c.phase)) ?? s.cards[s.cards.length - 1] ?? null;
}

export function reduce(s: DeskState, action: Action): DeskState {
  switch (action.a) {
    case 'link':
      return { ...s, link: action.link };
    case 'welcome':
      return welcome(s, action.w, action.localNow);
    case 'frame':
      return frame({ ...s, asOf: toMs(action.f.at) || s.asOf }, action.f);
    case 'write':
      return withDraft(s, action.call, { text: action.text, edited: true });
    case 'saved':
      return withDraft(s, action.call, { sent: action.text, savedAt: action.at });
    case 'outcome':
      return withDraft(s, action.call, { outcome: action.id });
    case 'asked':
      return withDraft(s, action.call, { answers: { ...draftOf(s, action.call).answers, [action.field]: action.text } });
    case 'used':
      return used(s, action);
    case 'passed':
      return { ...s, cards: s.cards.map((c) => (c.call === action.call && c.attempt === action.attempt ? { ...c, passed: action.to } : c)) };
    case 'forget_gone':
      return { ...s, gone: null };
  }
}

function welcome(s: DeskState, w: Welcome, localNow: number): DeskState {
  const now = toMs(w.now);
  const next: DeskState = {
    ...s, offset: now - localNow, asOf: now, line: s.line + 1,
    me: { id: w.agent.id, name: w.agent.name, autoAnswer: w.agent.auto_answer ?? false },
    status: w.status, topics: w.topics ?? [], queues: w.queues ?? [], colleagues: w.colleagues ?? [],
    dispositions: w.dispositions ?? {}, reasons: w.reasons ?? [], numbers: w.numbers ?? [],
  };
  if (w.resumed) return next;
  // A desk that was not resumed draws from the cards and forgets all else,
  // except what the server does not tell: what was written and is not yet
  // there, and where the call was passed on to.
  let fresh: DeskState = { ...next, cards: [], gone: null };
  for (const c of w.cards ?? []) fresh = putCard(fresh, c, now);
  const cards = fresh.cards.map((c) => ({ ...c, passed: s.cards.find((x) => x.call === c.call && x.attempt === c.attempt)?.passed ?? null }));
  return { ...fresh, cards, drafts: keep(fresh.drafts, cards) };
}

function frame(s: DeskState, f: ServerFrame): DeskState {
  switch (f.t) {
    case 'status':
      return { ...s, status: f.d };
    case 'pop':
    case 'card':
      return putCard(s, f.d, toMs(f.at));
    case 'phase':
      return phase(s, f.d, toMs(f.at));
    case 'withdraw':
      return withdraw(s, f.d, toMs(f.at));
    case 'consult':
      return consult(s, f.d);
    case 'colleagues':
      return { ...s, colleagues: f.d ?? [] };
    case 'colleagues_changed':
      return { ...s, colleagues: changed(s.colleagues, f.d) };
    default:
      return s; // a frame of a later version of the protocol
  }
}

/** The list with what has changed of it, in its order: by id. */
function changed(list: ColleagueState[], by: ColleagueChange[]): ColleagueState[] {
  const all = new Map(list.map((c) => [c.id, c]));
  for (const c of by) all.set(c.id, { ...c, name: c.name ?? all.get(c.id)?.name ?? c.id });
  return all.size === list.length ? [...all.values()] : [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function putCard(s: DeskState, c: Card, at: number): DeskState {
  const old = s.cards.find((x) => x.call === c.call);
  if (old && c.attempt < old.attempt) return s; // stale
  const same = old && old.attempt === c.attempt ? old : null;
  const live: LiveCard = {
    ...c,
    disposition: c.disposition || same?.disposition,
    chosen: same?.chosen || (same?.match === 'several' && c.record !== null),
    shownAt: same?.shownAt ?? at,
    phaseAt: same && same.phase === c.phase ? same.phaseAt : toMs(c.since) || at,
    endsAt: toMs(c.until),
    talkAt: same?.talkAt || toMs(c.talk_since) || (isTalk(c.phase) ? toMs(c.since) || at : 0),
    overAt: same?.overAt || overAt(c, at),
    ringWhy: c.ring_why ?? same?.ringWhy ?? '',
    log: same?.log ?? [{ at, what: 'offered' }],
    passed: same?.passed ?? null,
    askedWhy: same?.askedWhy ?? '',
  };
  const next = { ...s, gone: null, cards: [...s.cards.filter((x) => x.call !== c.call), live] };
  const asked = !old && isTalk(c.phase) ? s.cards.find((x) => x.question) : undefined; // now the call itself is here
  const d = draftOf(s, asked?.call ?? c.call);
  if (d.edited && d.text !== d.sent) return asked ? withDraft(next, c.call, { text: d.text, sent: c.note ?? '', edited: true }) : next; // what is written here is newer
  return withDraft(next, c.call, { text: c.note ?? d.text, sent: c.note ?? d.sent });
}

/** A card drawn in wrap-up tells how long the talk was, not when it ended. */
function overAt(c: Card, at: number): number {
  if (c.phase !== 'wrap_up') return 0;
  const from = toMs(c.talk_since);
  return from && c.talk_s !== undefined ? from + c.talk_s * 1000 : toMs(c.since) || at;
}

const logOf: Partial<Record<Phase, LogEntry['what']>> = { ringing: 'ringing', talking: 'talking', hold: 'hold', wrap_up: 'over' };

function phase(s: DeskState, p: PhaseChange, at: number): DeskState {
  const c = s.cards.find((x) => x.call === p.call);
  if (!c || p.attempt !== c.attempt) return s;
  if (p.phase === 'done') return dropCard(s, p.call);
  const since = toMs(p.since) || at;
  const next: LiveCard = { ...c, phase: p.phase, since: p.since ?? c.since, phaseAt: since, endsAt: toMs(p.until) };
  if (p.phase === 'ringing') next.ringWhy = p.why ?? '';
  if (p.phase === 'hold') next.askedWhy = ''; // has been read
  if (p.phase === 'talking' && !c.talkAt) next.talkAt = since;
  if (p.phase === 'wrap_up') {
    next.overAt = since;
    next.disposition = p.disposition || c.disposition || 'optional';
    next.set = p.set ?? c.set;
  }
  let what = logOf[p.phase];
  if (what === 'talking' && c.phase === 'hold') what = 'resumed';
  if (what && !(what === 'talking' && c.talkAt)) next.log = [...c.log, what === 'resumed' ? { at, what, ms: at - c.phaseAt } : { at: since, what }];
  return { ...s, cards: s.cards.map((x) => (x.call === p.call ? next : x)) };
}

/** How the question stands that this agent asks, or how it ended. */
function consult(s: DeskState, d: ConsultChange): DeskState {
  return { ...s, cards: s.cards.map((c) => (c.call === d.call && c.attempt === d.attempt ? { ...c, consult: d.consult, askedWhy: d.consult ? '' : d.why ?? '' } : c)) };
}

function withdraw(s: DeskState, w: Withdrawal, at: number): DeskState {
  const c = s.cards.find((x) => x.call === w.call);
  if (!c || w.attempt < c.attempt) return s;
  return { ...dropCard(s, w.call), gone: { why: w.why, at, waitedMs: waitedMs(c, at) } };
}

function dropCard(s: DeskState, call: number): DeskState {
  const cards = s.cards.filter((x) => x.call !== call);
  return { ...s, cards, drafts: keep(s.drafts, cards) };
}

function used(s: DeskState, u: Extract<Action, { a: 'used' }>): DeskState {
  return {
    ...s,
    cards: s.cards.map((c) => c.call !== u.call || c.used?.some((x) => x.answer === u.answer.id && x.agent === u.agent) ? c : {
      ...c,
      used: [...(c.used ?? []), { answer: u.answer.id, title: u.answer.title, agent: u.agent, at: u.at * 1000 }],
      log: [...c.log, { at: u.at, what: 'answer', text: u.answer.title }],
    }),
  };
}

function withDraft(s: DeskState, call: number, d: Partial<Draft>): DeskState {
  return { ...s, drafts: { ...s.drafts, [call]: { ...draftOf(s, call), ...d } } };
}

const keep = (drafts: Record<number, Draft>, cards: LiveCard[]) =>
  Object.fromEntries(Object.entries(drafts).filter(([call]) => cards.some((c) => c.call === Number(call))));

/** How long the caller has waited for this offer, at the given instant. */
export function waitedMs(c: LiveCard, at: number): number {
  const end = c.talkAt || c.overAt || at;
  return Math.max(0, c.waited_s * 1000 + Math.max(0, end - c.shownAt));
}
