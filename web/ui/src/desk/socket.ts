// The desk's line to the server: ticket, hello, resume, order, heartbeat and
// coming back. It knows frames, not calls; what they mean is in store.ts.
import { type Result, type ServerFrame, subprotocol, version, type Welcome } from './protocol';

export type Link =
  | { is: 'connecting' }
  | { is: 'online' }
  | { is: 'lost'; since: number; retryAt: number }
  | { is: 'replaced' }
  | { is: 'outdated' }
  | { is: 'refused' }
  | { is: 'signed_out' }
  | { is: 'closed' };

/** What a ticket request can end in when there is no point in asking again. */
export class NoSession extends Error {}
export class NotAllowed extends Error {}

/** A command the server refused, or that never reached it (`offline`). */
export class Refused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

export interface SocketOptions {
  url: string;
  ticket: () => Promise<string>;
  lang: () => string;
  onLink: (l: Link) => void;
  onWelcome: (w: Welcome) => void;
  onFrame: (f: ServerFrame) => void;
  open?: (url: string, protocol: string) => WebSocket;
  random?: () => number;
}

interface Waiting { resolve: (r: Result) => void; reject: (e: Refused) => void }

const firstRetryMs = 400;
const maxRetryMs = 10_000;
const helloTimeoutMs = 8_000;

/**
 * Waiting time before try number n (from 0): doubling, with full jitter over
 * the upper half, so that a thousand desks do not come back in one instant.
 */
export function backoff(n: number, random: () => number): number {
  const top = Math.min(maxRetryMs, firstRetryMs * 2 ** n);
  return Math.round(top / 2 + (random() * top) / 2);
}

export class DeskSocket {
  private ws: WebSocket | null = null;
  private session = '';
  private seq = 0;
  private nextId = 1;
  private tries = 0;
  private waiting = new Map<number, Waiting>();
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private beatTimer: ReturnType<typeof setInterval> | undefined;
  private helloTimer: ReturnType<typeof setTimeout> | undefined;
  private heard = 0;
  private link: Link = { is: 'closed' };
  private lostSince = 0;
  private generation = 0;

  constructor(private readonly o: SocketOptions) {}

  start(): void {
    window.addEventListener('online', this.wake);
    window.addEventListener('offline', this.sleep);
    this.tries = 0;
    this.connect();
  }

  /** Closes the line for good. */
  stop(): void {
    window.removeEventListener('online', this.wake);
    window.removeEventListener('offline', this.sleep);
    this.drop({ is: 'closed' });
  }

  /** Skips the rest of the waiting time, or takes a desk back that another login replaced. */
  retryNow(): void {
    if (this.link.is === 'online' || this.link.is === 'connecting') return;
    if (this.link.is === 'replaced') this.session = '';
    clearTimeout(this.retryTimer);
    this.connect();
  }

  /** Sends a command. Rejects with Refused when the server says no or the line is down. */
  send(t: string, d: object): Promise<Result> {
    if (this.link.is !== 'online' || !this.ws) return Promise.reject(new Refused('offline'));
    const id = this.nextId++;
    const done = new Promise<Result>((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.ws.send(JSON.stringify({ t, id, d }));
    return done;
  }

  private wake = () => this.retryNow();
  private sleep = () => {
    if (this.link.is === 'online') this.lost(0);
  };

  private set(l: Link): void {
    this.link = l;
    this.o.onLink(l);
  }

  private async connect(): Promise<void> {
    const mine = ++this.generation;
    // While a lost line is tried again the page goes on saying "lost".
    if (this.lostSince === 0) this.set({ is: 'connecting' });
    let ticket: string;
    try {
      ticket = await this.o.ticket();
    } catch (err) {
      if (mine !== this.generation) return;
      if (err instanceof NoSession) this.drop({ is: 'signed_out' });
      else if (err instanceof NotAllowed) this.drop({ is: 'refused' });
      else this.lost();
      return;
    }
    if (mine !== this.generation) return;
    const open = this.o.open ?? ((u, p) => new WebSocket(u, p));
    const ws = open(this.o.url, subprotocol);
    this.ws = ws;
    this.helloTimer = setTimeout(() => this.ws === ws && this.lost(), helloTimeoutMs);
    ws.onopen = () => {
      const resume = this.session ? { session: this.session, seq: this.seq } : undefined;
      ws.send(JSON.stringify({ t: 'hello', d: { v: version, ticket, lang: this.o.lang(), changes: true, resume } }));
    };
    ws.onmessage = (e) => this.ws === ws && this.take(String(e.data));
    ws.onclose = (e) => this.ws === ws && this.closed(e.code);
  }

  private take(text: string): void {
    this.heard = Date.now();
    let m: { t: string; seq?: number; d: unknown };
    try {
      m = JSON.parse(text) as typeof m;
    } catch {
      return; // not a frame of ours
    }
    if (m.t === 'welcome') return this.welcome(m.d as Welcome);
    if (m.t === 'result') return this.result(m.d as Result);
    if (typeof m.seq !== 'number' || this.link.is !== 'online') return;
    if (m.seq <= this.seq) return; // seen already
    if (m.seq > this.seq + 1) {
      // A frame is missing: come back and have the server play it again.
      this.lost(0);
      return;
    }
    this.seq = m.seq;
    this.o.onFrame(m as unknown as ServerFrame);
  }

  private welcome(w: Welcome): void {
    clearTimeout(this.helloTimer);
    if (!w.resumed) {
      this.session = w.session;
      this.seq = 0;
    }
    this.tries = 0;
    this.lostSince = 0;
    this.set({ is: 'online' });
    this.o.onWelcome(w);
    this.beat(Math.max(2, w.heartbeat_s || 15) * 1000);
  }

  /**
   * A browser does not see the socket's own pings, so that the desk asks; the
   * result is a sign of life, as is any other frame.
   */
  private beat(every: number): void {
    clearInterval(this.beatTimer);
    this.heard = Date.now();
    this.beatTimer = setInterval(() => {
      if (Date.now() - this.heard > 2 * every) this.lost(0);
      else this.send('ping', {}).catch(() => undefined);
    }, every);
  }

  private result(r: Result): void {
    const w = this.waiting.get(r.id);
    if (!w) return;
    this.waiting.delete(r.id);
    if (r.ok) w.resolve(r);
    else w.reject(new Refused(r.code ?? 'bad_request'));
  }

  private closed(code: number): void {
    switch (code) {
      case 1000: // signed out
        return this.drop({ is: 'signed_out' });
      case 4409:
        return this.drop({ is: 'replaced' });
      case 4403:
        return this.drop({ is: 'refused' });
      case 4426:
      case 4400: // the server does not understand this page: only a newer one helps
      case 1009:
        return this.drop({ is: 'outdated' });
      case 4408:
      case 4410:
        return this.lost(0);
      default:
        return this.lost();
    }
  }

  /** The line is down; it is tried again after the waiting time of that try. */
  private lost(tryNumber = this.tries): void {
    this.release();
    const wait = backoff(tryNumber, this.o.random ?? Math.random);
    this.tries++;
    if (this.lostSince === 0) this.lostSince = Date.now();
    this.set({ is: 'lost', since: this.lostSince, retryAt: Date.now() + wait });
    this.retryTimer = setTimeout(() => this.connect(), wait);
  }

  /** The line is down and stays down until somebody asks for it. */
  private drop(l: Link): void {
    this.release();
    this.lostSince = 0;
    this.set(l);
  }

  private release(): void {
    this.generation++;
    clearTimeout(this.helloTimer);
    clearTimeout(this.retryTimer);
    clearInterval(this.beatTimer);
    const ws = this.ws;
    this.ws = null;
    if (ws && ws.readyState < 2) ws.close(1000);
    for (const w of this.waiting.values()) w.reject(new Refused('offline'));
    this.waiting.clear();
  }
}
