// Requests to the server, each named by the seat of this window: several
// people may be signed in in one browser, side by side.

import type { Answer } from '../desk/protocol';

export interface User { id: string; name: string; role: 'agent' | 'supervisor' | 'admin' }

/** An answer of the server that is not a success; `code` as in docs/http-api.md. */
export class HttpError extends Error {
  constructor(readonly status: number, readonly code: string) {
    super(`${status} ${code}`);
  }
}

const seatKey = 'cordboard.seat';

export const seat = {
  get: (): string => {
    try {
      return sessionStorage.getItem(seatKey) ?? '';
    } catch {
      return '';
    }
  },
  set: (id: string): void => {
    try {
      if (id) sessionStorage.setItem(seatKey, id);
      else sessionStorage.removeItem(seatKey);
    } catch {
      // Without storage the only cookie counts.
    }
  },
};

async function request(method: string, path: string, body?: unknown): Promise<unknown> {
  const headers: Record<string, string> = {};
  const who = seat.get();
  if (who) headers['Cordboard-Seat'] = who;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const res = await fetch(path, {
    method, headers, credentials: 'same-origin', cache: 'no-store', body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await res.text();
  let data: unknown = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    data = null;
  }
  if (!res.ok) throw new HttpError(res.status, (data as { code?: string } | null)?.code ?? '');
  return data;
}

async function enter(body: object): Promise<User> {
  // A new sign-in must not be answered in the name of the old seat.
  seat.set('');
  const { user } = (await request('POST', '/api/v1/session', body)) as { user: User };
  seat.set(user.id);
  return user;
}

export const signIn = (user: string, password: string) => enter({ user, password });
export const signInByLink = (link: string) => enter({ link });

export async function signOut(): Promise<void> {
  try {
    await request('DELETE', '/api/v1/session');
  } finally {
    seat.set('');
  }
}

export async function whoAmI(): Promise<User> {
  const { user } = (await request('GET', '/api/v1/me')) as { user: User };
  seat.set(user.id);
  return user;
}

export async function deskTicket(): Promise<string> {
  return ((await request('POST', '/api/v1/desk/ticket')) as { ticket: string }).ticket;
}

/** The address of the board's event stream; EventSource cannot send headers. */
export function boardStream(): string {
  const who = seat.get();
  return '/api/v1/board/stream' + (who ? '?seat=' + encodeURIComponent(who) : '');
}

/** A share in percent, and between what the true one lies with 95 % confidence; null of nothing. */
export type Share = { value: number; low: number; high: number } | null;

/** What became of calls after them: a line of AFTER of docs/http-api.md. */
export interface AfterLine {
  by: 'all' | 'topic' | 'team' | 'agent'; name: string; title: Record<string, string> | null; calls: number; answered: number; self_service: number;
  transferred: number; transfer_rate: Share; hops_mean: number | null; transferred_back: number; unknown_caller: number; not_known_yet: number; followed: number;
  repeated: number; repeat_contact: Share; first_contacts: number; solved: number; solved_share: Share; self_service_solved: number; self_service_share: Share;
}

export const afterCall = async (from: number, to: number) => ((await request('GET', `/api/v1/after-call?from=${from * 1000}&to=${to * 1000}`)) as { lines: AfterLine[] }).lines;

/** Where the standard answers fall short: GAPS of docs/http-api.md. */
export interface AnswerGaps {
  langs: string[]; topics: { name: string; title: Record<string, string> | null; calls: number; answers: Record<string, number>; specialists: string[] }[];
  due: { id: string; lang: string; topic: string; title: string; owner: string; review: string }[]; answers: number; unowned: number;
}

/** The agent's own standard answers that are due for review. */
export const dueAnswers = async () => ((await request('GET', '/api/v1/answers/due')) as { answers: Answer[] }).answers;

export const answerGaps = async () => (await request('GET', '/api/v1/answers/gaps')) as AnswerGaps;

/** How often something was asked about, week by week: a line of INTEREST of docs/http-api.md. */
export interface InterestLine {
  by: 'all' | 'service' | 'segment' | 'region' | 'segment_region'; service: string; queue: boolean; title: Record<string, string> | null; segment: string; region: string;
  calls: number; weekly: number[]; state: 'rising' | 'falling' | 'steady' | 'unclear'; change: Share; was: '' | 'rising' | 'falling' | 'steady'; since: number;
}
export interface Interest { weeks: number[]; callers_forgotten: boolean; left_out: number; lines: InterestLine[] }

export const interest = async (weeks: number) => (await request('GET', `/api/v1/interest?weeks=${weeks}`)) as Interest;

/** What a caller has left in a mailbox: MESSAGE of docs/http-api.md. */
export interface Message {
  call: number; mailbox: string; queue: string; language: string; left_at: number; length_ms: number; state: 'new' | 'heard' | 'done';
  by: string; at: number; number: string; customer: string; name: string;
}

/** The newest messages of a state; asked for by state, so that those that are done push none out. */
export async function listMessages(state: Message['state']): Promise<Message[]> {
  return ((await request('GET', '/api/v1/messages?state=' + state)) as { messages: Message[] }).messages;
}

export const setMessage = (call: number, state: Message['state']) => request('PUT', `/api/v1/messages/${call}/state`, { state });

/** The address of a message's sound; an audio element cannot send headers. */
export function messageSound(call: number): string {
  const who = seat.get();
  return `/api/v1/messages/${call}/sound` + (who ? '?seat=' + encodeURIComponent(who) : '');
}

/** One of several who may be one customer: CANDIDATE of docs/http-api.md. */
export interface Candidate {
  id: string; name: string; segment: string; language: string; customer_since: string; numbers: string[]; products: string[];
  open_tickets: number; contacts: number; last_contact: number; balance: { minor: number; currency: string } | null; accounts: string[];
}
export interface Duplicates { numbers: number; customers: Candidate[] }
export interface Merge { merge: number; whole: string; whole_name: string; other: string; other_name: string; by: string; at: number }

/** An interaction that was found: what was looked for stands at the odd places of title and text. */
export interface SearchHit {
  customer: string; name: string; id: string; at: string; channel: string; title: string[]; text: string[];
  agent?: { agent: string; name: string }; call?: number; source?: string;
}
export interface SearchFound { hits: SearchHit[]; next: string; waiting: number }

export const searchInHand = async (call: number, words: string, after: string) => (await request('POST', '/api/v1/desk/search', { call, words, after })) as SearchFound;
export const searchAll = async (words: string, since: string | null, after: string) => (await request('POST', '/api/v1/search', { words, since, after })) as SearchFound;

export const listDuplicates = async () => (await request('GET', '/api/v1/duplicates')) as { duplicates: Duplicates[]; more: number };
export const listMerges = async () => ((await request('GET', '/api/v1/merges')) as { merges: Merge[] }).merges;
export const mergeCustomers = (keep: string, other: string) => request('POST', '/api/v1/merges', { keep, other });
export const undoMerge = (merge: number) => request('DELETE', `/api/v1/merges/${merge}`);
export const keepApart = (keep: string, other: string) => request('POST', '/api/v1/duplicates/apart', { keep, other });
/** A request that is tracked to its closure: REQUEST of docs/http-api.md. */
export interface TrackedRequest {
  ref: string; type: string; type_title: Record<string, string> | null; title: string; detail: string;
  customer: string; name: string; number: string; source: string; opened_by: string; call: number; opened_at: number;
  state: 'open' | 'waiting' | 'closed'; outcome: string; closed_at: number; owner: string; team: string; due_at: number; late: boolean;
  task_of: string; task_at: number; untold: boolean; steps?: RequestStep[];
}
export interface RequestStep { at: number; who: string; kind: string; word: string; shown: boolean }
export interface RequestType { type: string; title: Record<string, string> | null }
export interface RequestAsk { customer?: string; mine?: boolean; task?: boolean; late?: boolean }
export interface RequestDeed { do: 'word' | 'take' | 'give' | 'wait' | 'resume' | 'settle' | 'close'; word?: string; shown?: boolean; to?: string; team?: string; outcome?: string }

const requestsPath = '/api/v1/desk/requests';

export async function listRequests(ask: RequestAsk): Promise<{ requests: TrackedRequest[]; types: RequestType[] }> {
  const q = new URLSearchParams();
  if (ask.customer) q.set('customer', ask.customer);
  for (const k of ['mine', 'task', 'late'] as const) if (ask[k]) q.set(k, '1');
  return (await request('GET', `${requestsPath}?${q}`)) as { requests: TrackedRequest[]; types: RequestType[] };
}

export const wholeRequest = async (ref: string) => (await request('GET', `${requestsPath}/${ref}`)) as TrackedRequest;
export const openRequest = async (r: { type: string; title: string; detail: string; customer?: string; call?: number }) => (await request('POST', requestsPath, r)) as TrackedRequest;
export const stepRequest = async (ref: string, deed: RequestDeed) => (await request('POST', `${requestsPath}/${ref}/steps`, deed)) as TrackedRequest;

/** What a customer has said to being contacted; the last word of a purpose and channel counts. */
export interface ConsentWord { purpose: string; channel: string; state: 'given' | 'refused' | 'withdrawn'; at: string; expires?: string; source: string; by: string; evidence: string }
export const consentPurposes = ['offer', 'survey', 'service', 'callback', 'any'] as const;
export const consentChannels = ['call', 'sms', 'mail', 'post'] as const;
export const consentStates = ['given', 'refused', 'withdrawn'] as const;

const consentsPath = '/api/v1/desk/consents';
export const standingConsents = async (call: number) => ((await request('GET', `${consentsPath}?call=${call}`)) as { consents: ConsentWord[] }).consents;
export const hearConsent = async (w: { call: number; purpose: string; channel: string; state: string; evidence: string }) =>
  ((await request('POST', consentsPath, w)) as { consents: ConsentWord[] }).consents;

/** The agents and their names, for a supervisor. */
export async function agentNames(): Promise<{ id: string; name: string }[]> {
  const { agents } = (await request('GET', '/api/v1/board')) as { agents: { agent: string; name: string }[] | null };
  return (agents ?? []).map((a) => ({ id: a.agent, name: a.name }));
}
