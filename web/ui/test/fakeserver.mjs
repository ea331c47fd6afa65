// A server that speaks the HTTP API and the desk protocol from a script, for
// the browser tests only. It serves the built page under the strict policy the
// page is made for.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { answersEn, answersRu, colleagues, welcomeParts } from './fixtures.mjs';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
export const policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; media-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

export const users = {
  priya: { id: 'priya', name: 'Priya Nair', role: 'agent' },
  boss: { id: 'boss', name: 'Helen Marsh', role: 'supervisor' },
};

/** A request, due in so many hours. */
function tracked(ref, type, title, hours, over = {}) {
  const at = (h) => (Date.now() + h * 3_600_000) * 1000;
  return {
    ref, type, type_title: null, title, detail: 'Always after seven.', customer: 'LW-204 118 63', name: 'Dana Whitcombe', number: '', source: '', opened_by: 'priya', call: 0, opened_at: at(-50),
    state: 'open', outcome: '', closed_at: 0, owner: '', team: '', due_at: at(hours), late: false, task_of: '', task_at: 0, untold: false, steps: [{ at: at(-50), who: 'priya', kind: 'opened', word: '', shown: false }], ...over,
  };
}

export class FakeServer {
  tickets = new Map();
  /** The desk's live socket, and every frame it sent. */
  ws = null;
  frames = [];
  notes = new Map(); // by call
  hellos = [];
  seq = 0;
  session = 0;
  sent = [];
  cards = [];
  resumeNext = false;
  status = { agent: 'priya', state: 'available', reason: '', since: 0, until: 0 };
  autoAnswer = true;
  refuse = {};
  down = false;
  board = null;
  boardStreams = new Set();
  messages = [
    { call: 22, mailbox: 'office', queue: 'billing', language: 'en', left_at: (Date.now() - 240_000) * 1000, length_ms: 21_300, state: 'new', by: '', at: 0, number: '+447700900733', customer: 'LW-9', name: 'Iris Coleman' },
    { call: 17, mailbox: 'office', queue: '', language: 'en', left_at: (Date.now() - 7_200_000) * 1000, length_ms: 9_800, state: 'heard', by: 'ivana', at: (Date.now() - 60_000) * 1000, number: '', customer: '', name: '' },
  ];
  messagesStuck = false;
  duplicates = [];
  /** What a search finds, by its `after`, and what was asked. */
  pages = {};
  searches = [];
  after = [];
  afterAsked = [];
  interestAsked = [];
  afterRefused = '';
  merges = [];
  apart = [];
  requestTypes = [{ type: 'refund', title: { en: 'Refund', ru: 'Возврат денег' } }, { type: 'repair', title: { en: 'Line repair', ru: 'Ремонт линии' } }];
  requests = [tracked('R-4B8WD-H0C6Y', 'refund', 'Refund for the outage', -26, { owner: 'ivana', task_of: 'boss', late: true }), tracked('R-7K3F9-2QXM1', 'repair', 'Fibre drops every evening', 3, { owner: 'priya' })];
  requestsGone = false;
  consents = [{ purpose: 'offer', channel: 'mail', state: 'given', at: new Date(Date.now() - 40 * 86_400_000).toISOString(), source: 'crm', by: '', evidence: 'form 4711' }];
  refuseBoards = false;
  watchers = new Set();

  stepped(r, d, who) {
    const at = Date.now() * 1000;
    const kind = { take: 'taken', give: 'given', wait: 'waiting', resume: 'resumed', settle: 'settled' }[d.do];
    if (d.do === 'take') r.owner = who;
    if (d.do === 'give') r.owner = d.to;
    if (d.do === 'wait') r.state = 'waiting';
    if (d.do === 'resume') r.state = 'open';
    if (d.do === 'settle') r.task_of = '';
    if (d.do === 'close') Object.assign(r, { state: 'closed', outcome: d.outcome, task_of: '' });
    if (kind) r.steps.push({ at, who, kind, word: d.to ?? '', shown: false });
    if (d.word) r.steps.push({ at, who, kind: 'word', word: d.word, shown: d.shown });
    if (d.do === 'close') r.steps.push({ at, who, kind: 'closed', word: d.outcome, shown: false });
  }

  async start() {
    this.http = createServer((req, res) => void this.serve(req, res));
    this.wss = new WebSocketServer({ noServer: true });
    this.http.on('upgrade', (req, socket, head) => {
      if (this.down || req.url !== '/desk') return socket.destroy();
      this.wss.handleUpgrade(req, socket, head, (ws) => this.desk(ws));
    });
    await new Promise((ok) => this.http.listen(0, '127.0.0.1', ok));
    this.url = `http://127.0.0.1:${this.http.address().port}`;
    return this;
  }

  async stop() {
    this.ws?.terminate();
    for (const s of this.boardStreams) s.end();
    this.http.closeAllConnections();
    await new Promise((ok) => this.http.close(ok));
  }

  async serve(req, res) {
    const url = new URL(req.url, 'http://x');
    if (url.pathname.startsWith('/api/')) return this.api(req, res, url);
    const path = normalize(url.pathname);
    const file = extname(path) ? path : '/index.html';
    try {
      const body = await readFile(join(dist, file));
      res.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' }).end(body);
    } catch {
      res.writeHead(404).end();
    }
  }

  async api(req, res, url) {
    if (this.down) return res.destroy();
    const json = (code, body) => res.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    const body = await new Promise((ok) => {
      let text = '';
      req.on('data', (d) => (text += d)).on('end', () => ok(text ? JSON.parse(text) : {}));
    });
    const seat = req.headers['cordboard-seat'] ?? url.searchParams.get('seat') ?? '';
    const cookies = Object.fromEntries((req.headers.cookie ?? '').split('; ').filter(Boolean).map((c) => c.split('=')));
    const signed = Object.keys(cookies).filter((k) => k.startsWith('cordboard.')).map((k) => k.slice(10));
    const who = users[seat && signed.includes(seat) ? seat : !seat && signed.length === 1 ? signed[0] : ''];
    const call = `${req.method} ${url.pathname}`;
    if (call === 'POST /api/v1/session') {
      const user = body.link ? users[body.link.split('-')[0]] : body.password === 'right' ? users[body.user] : undefined;
      if (!user) return json(401, { code: 'bad_login' });
      res.setHeader('Set-Cookie', `cordboard.${user.id}=1; HttpOnly; Path=/; SameSite=Strict`);
      return json(200, { user });
    }
    if (!who) return json(401, { code: !seat && signed.length > 1 ? 'which_seat' : 'no_session' });
    const message = call.match(/^PUT \/api\/v1\/messages\/(\d+)\/state$/);
    if (message) {
      if (this.messagesStuck) return json(503, { code: 'unavailable' });
      const found = this.messages.find((m) => m.call === Number(message[1]));
      if (!found) return json(404, { code: 'not_found' });
      Object.assign(found, { state: body.state, by: who.id, at: Date.now() * 1000 });
      return json(200, found);
    }
    const undone = call.match(/^DELETE \/api\/v1\/merges\/(\d+)$/);
    if (undone) {
      this.merges = this.merges.filter((m) => m.merge !== Number(undone[1]));
      return res.writeHead(204).end();
    }
    const about = call.match(/^(GET|POST) \/api\/v1\/desk\/requests\/([^/]+)(?:\/steps)?$/);
    if (about) {
      const found = this.requests.find((r) => r.ref === about[2]);
      if (!found) return json(404, { code: 'not_found' });
      if (about[1] === 'POST' && this.requestsGone) return json(409, { code: 'not_now' });
      if (about[1] === 'POST') this.stepped(found, body, who.id);
      return json(200, found);
    }
    switch (call) {
      case 'POST /api/v1/search':
      case 'POST /api/v1/desk/search':
        this.searches.push({ path: url.pathname, ...body });
        return json(200, this.pages[body.after] ?? { hits: [], next: '', waiting: 0 });
      case 'GET /api/v1/answers/due':
        return json(200, { answers: who.id === 'priya' ? answersEn.filter((a) => a.review) : [] });
      case 'GET /api/v1/answers/gaps':
        return this.gaps ? json(200, this.gaps) : json(503, { code: 'unavailable' });
      case 'GET /api/v1/after-call':
        this.afterAsked.push(Math.round((url.searchParams.get('to') - url.searchParams.get('from')) / 86_400_000_000));
        return this.afterRefused ? json(413, { code: this.afterRefused }) : json(200, { lines: this.after });
      case 'GET /api/v1/interest':
        this.interestAsked.push(url.searchParams.get('weeks'));
        return this.interestRefused ? json(503, { code: 'unavailable' }) : json(200, this.interest);
      case 'GET /api/v1/duplicates':
        return json(200, { duplicates: this.duplicates, more: 0 });
      case 'GET /api/v1/merges':
        return json(200, { merges: this.merges });
      case 'POST /api/v1/merges': {
        if (this.mergeRefused) return json(409, { code: this.mergeRefused });
        const nameOf = (id) => this.duplicates.flatMap((d) => d.customers).find((c) => c.id === id)?.name ?? '';
        this.merges = [{ merge: this.merges.length + 1, whole: body.keep, whole_name: nameOf(body.keep), other: body.other, other_name: nameOf(body.other), by: who.name, at: Date.now() * 1000 }, ...this.merges];
        return json(201, this.merges[0]);
      }
      case 'POST /api/v1/duplicates/apart':
        this.apart.push(body);
        return res.writeHead(204).end();
      case 'GET /api/v1/desk/requests': {
        const q = url.searchParams;
        const open = this.requests.filter((r) => r.state !== 'closed');
        const list = q.get('customer') ? this.requests.filter((r) => r.customer === q.get('customer')) : q.get('task') ? open.filter((r) => r.task_of === who.id) : q.get('late') ? open.filter((r) => r.late) : who.role === 'agent' ? open.filter((r) => r.owner === who.id) : open;
        return json(200, { requests: list, types: this.requestTypes });
      }
      case 'POST /api/v1/desk/requests':
        this.requests.push(tracked('R-Z5N1T-RE8GY', body.type, body.title, 30, { detail: body.detail, call: body.call, owner: 'ivana', opened_by: who.id }));
        return json(201, this.requests.at(-1));
      case 'GET /api/v1/desk/consents':
        return json(200, { consents: this.consents });
      case 'POST /api/v1/desk/consents':
        if (this.consentsStuck) return json(503, { code: 'unavailable' });
        this.consents = [{ ...body, at: new Date().toISOString(), source: '', by: who.name }, ...this.consents];
        return json(201, { consents: this.consents });
      case 'GET /api/v1/messages':
        return json(200, { messages: this.messages.filter((m) => m.state === new URL(req.url, 'http://x').searchParams.get('state')) });
      case 'DELETE /api/v1/session':
        res.setHeader('Set-Cookie', `cordboard.${who.id}=; Max-Age=0; Path=/`);
        return res.writeHead(204).end();
      case 'GET /api/v1/me':
        return json(200, { user: who });
      case 'POST /api/v1/desk/ticket': {
        if (who.role !== 'agent') return json(403, { code: 'not_allowed' });
        const ticket = 't' + Math.random();
        this.tickets.set(ticket, who);
        return json(200, { ticket, expires_in_s: 30 });
      }
      case 'GET /api/v1/board':
        return json(200, this.board ?? { agents: [] });
      case 'GET /api/v1/board/stream':
        if (this.refuseBoards) return json(503, { code: 'unavailable' });
        res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
        this.boardStreams.add(res);
        res.on('close', () => this.boardStreams.delete(res));
        if (this.board) res.write(`data: ${JSON.stringify(this.board)}\n\n`);
        return;
      default:
        return json(404, { code: 'not_found' });
    }
  }

  desk(ws) {
    ws.on('message', (data) => {
      const m = JSON.parse(String(data));
      if (m.t === 'hello') return this.hello(ws, m.d);
      if (ws !== this.ws) return;
      if (m.t !== 'ping') this.frames.push({ ...m, got: Date.now() });
      const code = this.refuse[m.t];
      const result = { id: m.id, ok: !code, code };
      if (m.t === 'note' && !code) this.notes.set(m.d.call, m.d.text);
      if (m.t === 'answers') result.answers = (m.d.lang === 'ru' ? answersRu : answersEn).filter((a) => !m.d.query || a.title.toLowerCase().includes(m.d.query.toLowerCase()));
      ws.send(JSON.stringify({ t: 'result', d: result }));
      this.tell();
    });
    ws.on('close', () => {
      if (this.ws === ws) this.ws = null;
      this.tell();
    });
  }

  hello(ws, d) {
    this.hellos.push(d);
    const user = this.tickets.get(d.ticket);
    if (!user) return ws.close(4401);
    this.tickets.delete(d.ticket);
    this.ws?.close(4409);
    this.ws = ws;
    const resumed = this.resumeNext && d.resume?.session === String(this.session);
    if (!resumed) {
      this.session++;
      this.seq = 0;
      this.sent = [];
    }
    const now = Date.now();
    ws.send(JSON.stringify({ t: 'welcome', d: {
      v: 1, session: String(this.session), resumed, heartbeat_s: 15, now: now * 1000, agent: { ...user, auto_answer: this.autoAnswer },
      status: { ...this.status, since: this.status.since || (now - 250_000) * 1000 }, ...welcomeParts, colleagues: colleagues(now), cards: resumed ? [] : this.cards,
    } }));
    if (resumed) for (const f of this.sent.filter((x) => x.seq > d.resume.seq)) ws.send(JSON.stringify(f));
    this.tell();
  }

  /** Sends a numbered frame; `lost` numbers it without sending, as a dropped line would. A card comes with the note that was taken, as the server's does. */
  send(t, d, { lost = false } = {}) {
    if (d?.note === '' && this.notes.has(d.call)) d = { ...d, note: this.notes.get(d.call) };
    const f = { t, seq: ++this.seq, at: Date.now() * 1000, d };
    this.sent.push(f);
    if (!lost) this.ws?.send(JSON.stringify(f));
  }

  pushBoard(board) {
    this.board = board;
    for (const s of this.boardStreams) s.write(`data: ${JSON.stringify(board)}\n\n`);
  }

  tell() {
    for (const w of [...this.watchers]) w();
  }

  /** Waits until the condition holds; every frame and every new line looks again. */
  until(what, holds, ms = 30_000) {
    if (holds()) return Promise.resolve();
    return new Promise((ok, no) => {
      const timer = setTimeout(() => {
        this.watchers.delete(look);
        no(new Error(`timed out waiting for: ${what}; frames: ${JSON.stringify(this.frames.slice(-6))}`));
      }, ms);
      const look = () => {
        if (!holds()) return;
        clearTimeout(timer);
        this.watchers.delete(look);
        ok();
      };
      this.watchers.add(look);
    });
  }

  async got(t, match = () => true) {
    await this.until(`frame ${t}`, () => this.frames.some((f) => f.t === t && match(f.d)));
    return this.frames.findLast((f) => f.t === t && match(f.d));
  }
}
