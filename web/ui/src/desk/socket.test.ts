import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServerFrame, Welcome } from './protocol';
import { backoff, DeskSocket, type Link, NoSession } from './socket';
import { aWelcome } from './testdata';

class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 1;
  sent: { t: string; id?: number; d: Record<string, unknown> }[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: string }) => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  closed = false;
  constructor() {
    FakeSocket.all.push(this);
  }
  send(s: string) {
    this.sent.push(JSON.parse(s) as (typeof this.sent)[number]);
  }
  close() {
    this.closed = true;
    this.readyState = 3;
  }
  get(m: object) {
    this.onmessage?.({ data: JSON.stringify(m) });
  }
  welcome(over: Partial<Welcome> = {}) {
    this.onopen?.();
    this.get({ t: 'welcome', d: aWelcome(over) });
  }
}

let links: Link[], frames: ServerFrame[], welcomes: Welcome[], ticket: () => Promise<string>;
const last = () => FakeSocket.all[FakeSocket.all.length - 1]!;
const link = () => links[links.length - 1]!;

function start() {
  const s = new DeskSocket({
    url: 'ws://x/desk', ticket: () => ticket(), lang: () => 'en', onLink: (l) => links.push(l), onWelcome: (w) => welcomes.push(w), onFrame: (f) => frames.push(f),
    open: () => new FakeSocket() as unknown as WebSocket, random: () => 0.5,
  });
  s.start();
  return s;
}
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  links = [];
  frames = [];
  welcomes = [];
  let n = 0;
  ticket = () => Promise.resolve('ticket' + ++n);
});
afterEach(() => vi.useRealTimers());

describe('the desk’s line', () => {
  it('says hello with its ticket and is on line with the welcome', async () => {
    start();
    await settle();
    last().welcome();
    expect(last().sent[0]).toEqual({ t: 'hello', d: { v: 1, ticket: 'ticket1', lang: 'en', changes: true } });
    expect(links.map((l) => l.is)).toEqual(['connecting', 'online']);
  });

  it('takes each frame once and in order', async () => {
    start();
    await settle();
    last().welcome();
    for (const seq of [1, 2, 2, 1, 3]) last().get({ t: 'status', seq, at: 1, d: {} });
    expect(frames.map((f) => f.seq)).toEqual([1, 2, 3]);
  });

  it('comes back for a missing frame and resumes where it was', async () => {
    start();
    await settle();
    last().welcome();
    last().get({ t: 'status', seq: 1, at: 1, d: {} });
    last().get({ t: 'status', seq: 3, at: 1, d: {} });
    expect(link().is).toBe('lost');
    await vi.advanceTimersByTimeAsync(400);
    last().welcome({ resumed: true });
    expect(last().sent[0]!.d).toMatchObject({ ticket: 'ticket2', resume: { session: 's1', seq: 1 } });
    last().get({ t: 'status', seq: 2, at: 1, d: {} });
    last().get({ t: 'status', seq: 3, at: 1, d: {} });
    expect(frames.map((f) => f.seq)).toEqual([1, 2, 3]);
  });

  it('begins to count anew when it was not resumed', async () => {
    start();
    await settle();
    last().welcome();
    last().get({ t: 'status', seq: 1, at: 1, d: {} });
    last().onclose?.({ code: 1006 });
    await vi.advanceTimersByTimeAsync(400);
    last().welcome({ session: 's2' });
    last().get({ t: 'status', seq: 1, at: 1, d: {} });
    expect(frames).toHaveLength(2);
  });

  it('waits longer with every try, with jitter, and never over ten seconds', () => {
    expect([0, 1, 2, 9].map((n) => backoff(n, () => 1))).toEqual([400, 800, 1600, 10_000]);
    expect([0, 1, 2, 9].map((n) => backoff(n, () => 0))).toEqual([200, 400, 800, 5000]);
  });

  it('goes on trying while the server is away, and remembers since when', async () => {
    start();
    await settle();
    last().welcome();
    ticket = () => Promise.reject(new TypeError('network'));
    last().onclose?.({ code: 1006 });
    const since = link();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(link()).toMatchObject({ is: 'lost', since: since.is === 'lost' ? since.since : -1 });
    ticket = () => Promise.resolve('again');
    await vi.advanceTimersByTimeAsync(10_000);
    last().welcome({ resumed: true });
    expect(link().is).toBe('online');
  });

  it.each([[4409, 'replaced'], [4403, 'refused'], [4426, 'outdated'], [4400, 'outdated'], [1000, 'signed_out']])('stays away after %i: %s', async (code, is) => {
    start();
    await settle();
    last().welcome();
    last().onclose?.({ code: code as number });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(link().is).toBe(is);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it.each([4408, 4410, 1006, 4401])('comes back after %i', async (code) => {
    start();
    await settle();
    last().welcome();
    last().onclose?.({ code });
    await vi.advanceTimersByTimeAsync(1000);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('leads to the login when the session has ended', async () => {
    ticket = () => Promise.reject(new NoSession());
    start();
    await settle();
    expect(link().is).toBe('signed_out');
  });

  it('gives each command its own result', async () => {
    const s = start();
    await settle();
    last().welcome();
    const a = s.send('accept', {}), b = s.send('hold', { on: true });
    const [x, y] = last().sent.slice(1);
    last().get({ t: 'result', d: { id: y!.id, ok: false, code: 'stale' } });
    last().get({ t: 'result', d: { id: x!.id, ok: true } });
    await expect(a).resolves.toMatchObject({ ok: true });
    await expect(b).rejects.toMatchObject({ code: 'stale' });
  });

  it('does not leave a command waiting for a line that is gone', async () => {
    const s = start();
    await settle();
    last().welcome();
    const a = s.send('accept', {});
    const told = expect(a).rejects.toMatchObject({ code: 'offline' });
    last().onclose?.({ code: 1006 });
    await told;
    await expect(s.send('accept', {})).rejects.toMatchObject({ code: 'offline' });
  });

  it('notices a line that says nothing any more', async () => {
    start();
    await settle();
    last().welcome({ heartbeat_s: 15 });
    const first = last();
    await vi.advanceTimersByTimeAsync(14_000);
    expect(link().is).toBe('online');
    await vi.advanceTimersByTimeAsync(40_000);
    expect(first.sent.filter((m) => m.t === 'ping').length).toBeGreaterThan(0);
    expect(first.closed).toBe(true);
  });

  it('stays on line as long as its ping is answered', async () => {
    start();
    await settle();
    last().welcome({ heartbeat_s: 15 });
    for (let i = 0; i < 10; i++) {
      await vi.advanceTimersByTimeAsync(15_000);
      const beat = last().sent.filter((m) => m.t === 'ping').at(-1);
      last().get({ t: 'result', d: { id: beat!.id, ok: true } });
    }
    expect(link().is).toBe('online');
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('takes nothing from a socket it has given up', async () => {
    const s = start();
    await settle();
    last().welcome();
    const old = last();
    s.stop();
    old.get({ t: 'status', seq: 1, at: 1, d: {} });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(frames).toHaveLength(0);
    expect(FakeSocket.all).toHaveLength(1);
  });
});
