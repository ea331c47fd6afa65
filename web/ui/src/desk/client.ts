// The desk as the page uses it: the state, and the things an agent does.
import { deskTicket, HttpError } from '../api/http';
import type { Answer, Card } from './protocol';
import { DeskSocket, NoSession, NotAllowed, Refused } from './socket';
import { type Action, cardInHand, type DeskState, draftOf, emptyState, reduce, type Target } from './store';

/** A note is sent this long after the last key. */
const noteDelayMs = 400;

export class Desk {
  state: DeskState = emptyState;
  private listeners = new Set<() => void>();
  private noteTimers = new Map<number, ReturnType<typeof setTimeout>>();
  private readonly socket: DeskSocket;
  /** The language that the server was told: cards' answers come in it. */
  spoken = '';

  constructor(lang: () => string, open?: (url: string, protocol: string) => WebSocket) {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.socket = new DeskSocket({
      url: `${scheme}//${location.host}/desk`, lang: () => (this.spoken = lang()), open,
      ticket: ticketOrWhy,
      onLink: (link) => this.apply({ a: 'link', link }),
      onWelcome: (w) => {
        this.apply({ a: 'welcome', w, localNow: Date.now() });
        this.restore();
        this.flush();
      },
      onFrame: (f) => {
        const before = this.state.cards;
        this.apply({ a: 'frame', f });
        for (const c of before) if (!this.state.cards.some((x) => x.call === c.call)) store(c.call, null); // nobody sends it any more
        if (f.t === 'pop') this.flush(); // a call handed over goes on with what was being written
      },
    });
  }

  start = () => this.socket.start();
  stop = () => this.socket.stop();
  retry = () => this.socket.retryNow();

  subscribe = (f: () => void) => {
    this.listeners.add(f);
    return () => void this.listeners.delete(f);
  };
  snapshot = () => this.state;

  /** The server's clock, in ms. */
  now = () => Date.now() + this.state.offset;

  private apply(a: Action): void {
    const next = reduce(this.state, a);
    if (next === this.state) return;
    this.state = next;
    for (const f of this.listeners) f();
  }

  private on(c: Card, t: string, d: object = {}) {
    return this.socket.send(t, { call: c.call, attempt: c.attempt, ...d });
  }

  popAck = (c: Card, mode: 'painted' | 'hidden', panels: Record<string, string>) =>
    this.on(c, 'pop_ack', { mode, version: c.record?.version ?? 0, panels });
  accept = (c: Card) => this.on(c, 'accept');
  decline = (c: Card, reason: string) => this.on(c, 'decline', { reason });
  hold = (c: Card, on: boolean) => this.on(c, 'hold', { on });
  hangup = (c: Card) => this.on(c, 'hangup');
  choose = (c: Card, customer: string) => this.on(c, 'choose', { customer });
  link = (c: Card, customer: string, undo: boolean) => this.on(c, 'link', { customer, undo });
  setState = (state: 'available' | 'not_ready', reason = '') => this.socket.send('state', { state, reason });
  signOut = () => this.socket.send('sign_out', {});

  async transfer(c: Card, to: Target, note: string) {
    await this.flushNote(c.call);
    await this.on(c, 'transfer', { ...to, note });
    this.apply({ a: 'passed', call: c.call, attempt: c.attempt, to });
  }

  async askFirst(c: Card, to: Target, note: string) {
    await this.flushNote(c.call);
    await this.on(c, 'consult', { ...to, note });
  }
  stopAsking = (c: Card) => this.on(c, 'consult_stop');
  async handOver(c: Card) {
    const asked = c.consult?.agent ?? '';
    await this.flushNote(c.call);
    await this.on(c, 'consult_complete');
    this.apply({ a: 'passed', call: c.call, attempt: c.attempt, to: { agent: asked } });
  }

  async wrapUp(c: Card, disposition: string, answers: Record<string, string>, note: string, next: string) {
    // The state for afterwards goes first: a freed agent may be offered a call
    // in the same instant.
    if (next !== 'available') await this.setState('not_ready', next);
    clearTimeout(this.noteTimers.get(c.call));
    const r = await this.on(c, 'wrap_up', { disposition, answers, note });
    this.apply({ a: 'saved', call: c.call, text: note, at: this.now() });
    return r;
  }

  async answerUsed(c: Card, answer: Answer) {
    await this.on(c, 'answer_used', { answer: answer.id });
    this.apply({ a: 'used', call: c.call, answer, agent: this.state.me?.id ?? '', at: this.now() });
  }

  async findAnswers(lang: string, topic: string, query: string): Promise<Answer[]> {
    return (await this.socket.send('answers', { lang, topic, query })).answers ?? [];
  }

  setOutcome = (c: Card, id: string) => this.apply({ a: 'outcome', call: c.call, id });
  setAnswer = (c: Card, field: string, text: string) => this.apply({ a: 'asked', call: c.call, field, text });
  forgetGone = () => this.apply({ a: 'forget_gone' });

  write(c: Card, text: string): void {
    this.apply({ a: 'write', call: c.call, text });
    store(c.call, text);
    clearTimeout(this.noteTimers.get(c.call));
    this.noteTimers.set(c.call, setTimeout(() => void this.flushNote(c.call), noteDelayMs));
  }

  /** Sends what is written and not yet kept by the server. */
  private async flushNote(call: number): Promise<void> {
    clearTimeout(this.noteTimers.get(call));
    const c = this.state.cards.find((x) => x.call === call);
    const d = draftOf(this.state, call);
    if (!c || d.text === d.sent) return;
    try {
      await this.on(c, 'note', { text: d.text });
      this.apply({ a: 'saved', call, text: d.text, at: this.now() });
      if (draftOf(this.state, call).text === d.text) store(call, null);
    } catch (err) {
      // Off line: it is sent by flush() on the next welcome.
      if (!(err instanceof Refused)) throw err;
    }
  }

  private flush(): void {
    for (const c of this.state.cards) void this.flushNote(c.call);
  }

  /** What was written before a reload and never reached the server. */
  private restore(): void {
    const c = cardInHand(this.state);
    const kept = c && load(c.call);
    if (c && kept !== null && kept !== draftOf(this.state, c.call).text) this.apply({ a: 'write', call: c.call, text: kept });
  }
}

async function ticketOrWhy(): Promise<string> {
  try {
    return await deskTicket();
  } catch (err) {
    if (err instanceof HttpError && err.status === 401) throw new NoSession();
    if (err instanceof HttpError && err.status === 403) throw new NotAllowed();
    throw err;
  }
}

const draftKey = (call: number) => `cordboard.draft.${call}`;

function store(call: number, text: string | null): void {
  try {
    if (text === null) sessionStorage.removeItem(draftKey(call));
    else sessionStorage.setItem(draftKey(call), text);
  } catch {
    // Without storage a draft lives as long as the page.
  }
}

function load(call: number): string | null {
  try {
    return sessionStorage.getItem(draftKey(call));
  } catch {
    return null;
  }
}
