// The desk protocol, version 1, as this client reads and writes it. The page
// to hold it against is docs/desk-protocol.md.

/** Microseconds since 1970 UTC; 0 for none. */
export type Micros = number;

export interface Money { minor: number; currency: string }
export interface Colleague { agent: string; name: string }
export interface Product { id: string; kind: string; name: string; detail?: string; status: string; note?: string; price?: Money; account?: string; source?: string }
export interface Ticket { id: string; title: string; detail?: string; topic?: string; kind: string; status: string; opened_at: string; due_at?: string; closed_at?: string; account?: string; source?: string }
export interface Interaction {
  id: string; at: string; channel: string; title: string; detail?: string; topic?: string; agent?: Colleague;
  note?: string; disposition?: string; duration_s?: number; call?: number; promised_by?: string; kept?: boolean;
  source?: string; changed_at?: string; links?: Link[]; account?: string;
}
/** Where something that belongs to an interaction lies. */
export interface Link { title?: string; url: string }
export interface Billing {
  balance: Money; overdue?: Money; overdue_days?: number; last_bill?: Money; last_bill_on?: string; paid_on?: string;
  next_bill_on?: string; we_owe?: Money; we_owe_since?: string; source: string; at: string;
}
export interface Consent { phone?: boolean; mail?: boolean; sms?: boolean; recording?: boolean }

/** by: the agent who has said that the number is this customer's, and when; account: whose it is of those merged. */
export interface CallerNumber { e164: string; label?: string; person?: string; valid_from?: string; valid_to?: string; source?: string; by?: Colleague; confirmed_at?: string; account?: string }

export interface SubAccount { id: string; name: string; detail?: string }

/** A customer who was merged into the record's. */
export interface Account { id: string; name: string; segment?: string; customer_since?: string; billing?: Billing; merge: number; merged_by: Colleague; merged_at: string }

/** customer.Record. */
export interface CustomerRecord {
  id: string; version: number; name: string; language?: string; country?: string; zone?: string;
  numbers: CallerNumber[] | null;
  kind?: string; segment?: string; key_account?: boolean; do_not_call?: boolean; customer_since?: string; yearly_value?: Money;
  churn_risk?: number; churn_reasons?: string[]; heed?: string[]; consent?: Consent;
  account_manager?: Colleague; last_agent?: Colleague; last_agent_at?: string; billing?: Billing;
  products: Product[] | null; tickets: Ticket[] | null; interactions: Interaction[] | null;
  contacts: number; others?: { name: string; detail?: string }[]; part_of?: SubAccount; sub_accounts?: SubAccount[]; accounts?: Account[];
  /** What outside systems say beside it: bills that are not as billing is, and what has no other place. */
  billing_else?: Billing[]; facts?: { name: string; value: string; source: string; at: string }[];
}

export type Phase = 'offered' | 'lead' | 'may_accept' | 'calling' | 'ringing' | 'connecting' | 'talking' | 'hold' | 'wrap_up' | 'done';
export type AgentStateName = 'signed_out' | 'available' | 'not_ready' | 'offered' | 'ringing' | 'talking' | 'hold' | 'wrap_up';

export interface Status { agent: string; state: AgentStateName; reason?: string; since: Micros; until: Micros; call?: number }
export interface ColleagueState extends Partial<Omit<Status, 'agent'>> { id: string; name: string }
/** Without a name: it is the one the desk knows. */
export type ColleagueChange = Omit<ColleagueState, 'name'> & { name?: string };

export type Title = Record<string, string>;
/** What a disposition may ask for; the note is the card's own. */
export const askedFields = ['ticket_id', 'when', 'topic', 'why', 'offer', 'case_id'] as const;
export interface Disposition { id: string; title?: Title; asks?: string[]; final?: boolean }
export interface Answer { id: string; topic: string; lang: string; title: string; say: string; steps?: string[] | null; owner?: string; review?: string }
export interface UsedAnswer { answer: string; title: string; agent: string; at: Micros }
export interface PathStep { at: Micros; kind: 'dialled' | 'menu' | 'route' | 'queue' | 'agent' | 'topic' | 'number'; name: string; seconds?: number; why?: string }
export interface CallNote { agent: string; name: string; at: Micros; text: string }
export interface Story {
  code: string; n?: number; days?: number; topic?: string; by?: unknown; id?: string; title?: string; money?: Money;
  name?: string; text?: string; at?: unknown; since?: unknown;
}
export interface Why {
  rule?: string; step?: number; policy?: string; trigger?: string; prefer?: string; came_back?: number;
  left_out?: { agent: string; code: string }[] | null;
}
export interface Caller { number?: string; display?: string; country?: string; source?: string; trusted?: boolean; restricted?: boolean }

export interface Card {
  call: number; attempt: number; agent: string; phase: Phase; since: Micros; until: Micros;
  mode: 'auto' | 'on_accept'; queue: string; topic?: string; set?: string;
  caller: Caller; dialled: string; trunk: string; arrived: Micros; answer_within_s: number; waited_s: number; waited_before_s: number;
  /** We call the customer: since when that is promised, and which call it is. */
  callback?: { accepted: Micros; try: number };
  match: 'exact' | 'several' | 'none' | 'pending' | 'failed';
  record: CustomerRecord | null; record_at?: Micros; stale?: boolean; candidates?: CustomerRecord[] | null;
  /** So many have the caller's number. */
  shared?: number;
  /** The customer number that the caller has keyed in; instead: who is known by the telephone number. */
  entered?: { number: string; found: boolean; instead?: { id: string; name: string } };
  /** The outside systems that the record is filled from; at: when each said what is shown, 0 for nothing. */
  sources?: Source[] | null;
  story?: Story[] | null; why?: Why | null; path?: PathStep[] | null;
  /** Why a call is back that this agent had passed on to a number. */
  back?: string;
  from?: { agent: string; name: string; note: string; at: Micros; topic?: string; talk_s?: number } | null;
  /** from asks and has the call: this is a question. */
  question?: boolean;
  /** A PBX has the call: there is nothing to hold, pass on or refuse. */
  pbx?: boolean;
  /** What this agent asks somebody meanwhile. */
  consult?: Consult | null;
  notes?: CallNote[] | null; note?: string; used?: UsedAnswer[] | null; answers?: Answer[] | null; facts?: string[] | null;
  disposition?: '' | 'off' | 'optional' | 'required'; ring_why?: string; talk_since?: Micros; talk_s?: number;
}

export interface Source { name: string; state: 'ok' | 'loading' | 'stale' | 'failed'; at: Micros; panels: PanelName[] }

export interface Welcome {
  v: number; session: string; resumed: boolean; heartbeat_s: number; now: Micros;
  agent: { id: string; name: string; role: string; auto_answer?: boolean };
  status: Status; topics: { id: string; title?: Title }[] | null; queues: { id: string; title?: string | Title }[] | null;
  colleagues: ColleagueState[] | null; dispositions: Record<string, Disposition[]> | null; reasons: string[] | null; cards: Card[] | null;
  /** Countries whose numbers this agent may pass calls on to. */
  numbers?: string[] | null;
}

export interface PhaseChange {
  call: number; attempt: number; phase: Phase; until?: Micros; since?: Micros; why?: string;
  disposition?: 'off' | 'optional' | 'required'; set?: string;
}
export interface Consult { call: number; phase: 'waiting' | 'ringing' | 'talking'; since: Micros; agent: string; name: string; topic: string; queue: string; note: string }
export interface ConsultChange { call: number; attempt: number; consult: Consult | null; why?: string }
export interface Withdrawal { call: number; attempt: number; why: string }

/** A numbered frame of the session. */
export type ServerFrame = { seq: number; at: Micros } & (
  | { t: 'status'; d: Status }
  | { t: 'pop' | 'card'; d: Card }
  | { t: 'phase'; d: PhaseChange }
  | { t: 'withdraw'; d: Withdrawal }
  | { t: 'consult'; d: ConsultChange }
  | { t: 'colleagues'; d: ColleagueState[] }
  | { t: 'colleagues_changed'; d: ColleagueChange[] }
);

export interface Result { id: number; ok: boolean; code?: string; answers?: Answer[] }

export type PanelName = 'bar' | 'who' | 'money' | 'products' | 'tickets' | 'timeline' | 'answers' | 'notes' | 'from' | 'path';
export type PanelState = 'shown' | 'late' | 'failed' | 'empty';
export const panelNames: PanelName[] = ['bar', 'who', 'money', 'products', 'tickets', 'timeline', 'answers', 'notes', 'from', 'path'];

export const version = 1;
export const subprotocol = 'cordboard.desk.v1';

/** Phases in which the call is an offer: nobody has taken it yet. */
export const isOffer = (p: Phase) => p === 'offered' || p === 'lead' || p === 'may_accept' || p === 'calling' || p === 'ringing';
export const isTalk = (p: Phase) => p === 'talking' || p === 'hold';

/** Server times come as microseconds, record times as RFC 3339 or dates. */
export function toMs(v: unknown): number {
  if (typeof v === 'number') return v > 0 ? v / 1000 : 0;
  if (typeof v === 'string' && v !== '') {
    const ms = Date.parse(/^\d{4}-\d\d-\d\d$/.test(v) ? v + 'T12:00:00' : v);
    return Number.isNaN(ms) || ms < 0 ? 0 : ms;
  }
  return 0;
}
