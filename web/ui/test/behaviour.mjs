// What the desk does, seen from both ends: what stands on the page and what
// reached the server.
import assert from 'node:assert/strict';
import { afterData, card, interestData, people, received, searchData } from './fixtures.mjs';
import { accessible, fits, withPage } from './harness.mjs';
import { asking, asks, barIs, cardFor, offer, phase, question, scenes, seen, state, talk, us } from './scenes.mjs';

const desk = (test, options = {}) => () => withPage(options, (x) => test({ ...x, lang: options.lang }));

/** Whether the digits there can be pressed now, as they look. */
const bright = (x, selector, want) => x.page.waitForFunction(([s, w]) => {
  const all = [...document.querySelectorAll(s)];
  return all.length > 0 && all.every((e) => (getComputedStyle(e).opacity === '1') === w);
}, [selector, want]);

export const behaviour = {
  'sources: what each system says stands with its name, and a panel without a value says why': desk(async (x) => {
    const { page } = x;
    const c = cardFor(x);
    c.record = { ...c.record, billing: undefined, tickets: [] };
    const sources = (state, more) => [{ name: 'billing', state, at: 0, panels: ['money'], ...more }, { name: 'crm', state: 'failed', at: 0, panels: ['tickets'] }];
    c.sources = sources('loading');
    await offer(x, c);
    const money = () => page.locator('[data-panel=money]').first();
    assert.equal(await money().getAttribute('data-state'), 'late');
    assert.equal(await page.locator('[data-panel=tickets]').first().getAttribute('data-state'), 'failed');
    assert.match(await page.locator('[data-source=billing]').first().innerText(), /billing is being asked/);
    assert.match(await page.locator('[data-source=crm]').first().innerText(), /crm does not answer/);
    const bill = (minor, source) => ({ balance: { minor, currency: 'GBP' }, source, at: new Date().toISOString() });
    x.server.send('card', { ...c, sources: sources('ok', { at: Date.now() * 1000 }), record: { ...c.record, billing: bill(-4120, 'billing'), billing_else: [bill(-2310, 'import')] } });
    await page.waitForSelector('[data-testid=said-else]');
    assert.equal(await money().getAttribute('data-state'), 'shown');
    assert.match(await money().innerText(), /41\.20/);
    assert.match(await page.getByTestId('said-else').innerText(), /import .*says otherwise.*23\.10/);
  }),
  'signing in by name and password': desk(async ({ page, server, id }) => {
    await page.goto(server.url + '/');
    await id('login').waitFor();
    assert.equal(new URL(page.url()).pathname, '/login');
    await page.fill('[name=username]', 'priya');
    await page.fill('[name=password]', 'wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await page.fill('[name=password]', 'right');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-testid=desk][data-link=online]');
    assert.equal(new URL(page.url()).pathname, '/');
  }, { open: false }),

  'a one-click link signs in and leaves the address': desk(async ({ page, server }) => {
    assert.equal(new URL(page.url()).pathname, '/');
    assert.equal(new URL(page.url()).hash, '');
    assert.equal(server.hellos.length, 1);
  }),

  'two people side by side in one browser keep their seats': desk(async ({ page, server, context }) => {
    server.pushBoard({ at: Date.now() * 1000, queues: [], agents: [], calls: [] });
    const other = await context.newPage();
    await other.goto(server.url + '/in#boss-link');
    await other.waitForSelector('[data-testid=board]');
    await page.reload();
    await page.waitForSelector('[data-testid=desk][data-link=online]');
    await other.reload();
    await other.waitForSelector('[data-testid=board][data-link=live]');
  }),

  'the board says that records wait, and its clocks stand when it is not heard of': desk(async ({ server, context }) => {
    const board = (degraded) => ({
      at: Date.now() * 1000, degraded, agents: [], calls: [{ call: 7, phase: 'talking', queue: 'care', entered: (Date.now() - 5000) * 1000, priority: 0, step: 0, blocked: [] }],
      queues: [{ name: 'care', title: 'care', waiting: 0, oldest_since: 0, talking: 1, staffed: 1, available: 0, answer_within_s: 20, open: true, offered: 1, answered: 1, abandoned: 0, answered_in_time: 1 }],
    });
    server.pushBoard(board([]));
    const page = await context.newPage();
    await page.goto(server.url + '/in#boss-link');
    await page.waitForSelector('[data-testid=board][data-link=live]');
    assert.equal(await page.locator('[role=status]').first().textContent(), 'Live');
    server.pushBoard(board(['database does not answer']));
    await page.getByText('calls go on').waitFor();
    server.refuseBoards = true;
    for (const s of server.boardStreams) s.end();
    await page.waitForSelector('[data-testid=board][data-link=lost]');
    const since = () => page.locator('[data-testid=call-7] td').last().textContent();
    const then = await since();
    await page.evaluate(() => new Promise((again) => { const real = Date.now; Date.now = () => real() + 60_000; setTimeout(again, 1200); })); // a tick of the page's clock
    assert.equal(await since(), then);
  }),

  'new messages are told during a call, too': desk(async (x) => {
    await scenes.offered(x);
    assert.equal(await x.id('messages').count(), 0);
    assert.equal(await x.id('new-messages').innerText(), '1 new message');
  }),

  'two who may be one are compared, merged, made two again and told apart': desk(async ({ server, context }) => {
    server.duplicates = duplicateData();
    const page = await context.newPage();
    await page.goto(server.url + '/in#boss-link');
    await page.getByRole('button', { name: 'Duplicates' }).click();
    await page.waitForSelector('[data-testid=merges] [data-testid=duplicates]');
    assert.equal(new URL(page.url()).pathname, '/duplicates');
    assert.equal(await page.getByTestId('merge-LW-204').count(), 0, 'whose record is kept is merged into nobody');
    server.mergeRefused = 'merged';
    await page.getByTestId('merge-LW-931').click();
    await page.getByText('part of another record').waitFor();
    server.mergeRefused = '';
    await page.getByTestId('merge-LW-931').click();
    await page.getByTestId('undo-1').waitFor();
    assert.deepEqual(server.merges.map((m) => [m.whole, m.other]), [['LW-204', 'LW-931']]);
    assert.equal(await page.getByText('part of another record').count(), 0);
    assert.equal(await page.getByTestId('duplicates').count(), 1, 'they are no duplicates any more');
    await page.getByTestId('undo-1').click();
    await page.getByText('Nobody is merged.').waitFor();
    await page.locator('article').first().getByRole('radio').last().check();
    await page.getByTestId('apart-LW-204').click();
    await page.getByTestId('apart-LW-204').waitFor({ state: 'detached' });
    assert.deepEqual(server.apart, [{ keep: 'LW-931', other: 'LW-204' }]);
    await page.goBack();
    await page.waitForSelector('[data-testid=board]');
  }),

  'the board tells who is to be called back, and what became of the callbacks': desk(async ({ server, context }) => {
    const queue = (name, more) => ({ name, title: name, waiting: 0, oldest_since: 0, talking: 0, staffed: 1, available: 1, answer_within_s: 20, open: true, offered: 9, answered: 1, abandoned: 0, answered_in_time: 1, ...more });
    const board = (queues, calls) => ({ at: Date.now() * 1000, degraded: [], agents: [], calls, queues });
    const waits = { call: 7, phase: 'callback', queue: 'care', since: 0, entered: (Date.now() - 5000) * 1000, priority: 0, step: 1, blocked: [] };
    server.pushBoard(board([queue('care'), queue('sales')], []));
    const page = await context.newPage();
    await page.goto(server.url + '/in#boss-link');
    await page.waitForSelector('[data-testid=board][data-link=live]');
    assert.equal(await page.locator('[data-testid=queues] th').count(), 9); // no column that says nothing
    server.pushBoard(board([queue('care', { callbacks_waiting: 2, callbacks: 8, callbacks_done: 5, callbacks_failed: 1 }), queue('sales')], [waits]));
    await page.waitForSelector('[data-testid=queue-care] [data-testid=callbacks]');
    const told = page.locator('[data-testid=queue-care] [data-testid=callbacks]');
    assert.equal(await told.innerText(), '2 · 5 done, 1 not reached');
    assert.match(await told.getAttribute('title'), /^2 to be called back/);
    assert.equal(await page.locator('[data-testid=callbacks]').count(), 1);
    assert.match(await page.locator('[data-testid=call-7]').innerText(), /To be called back/);
    assert.equal(await page.locator('[data-testid=queue-care] [data-testid=waiting]').innerText(), '0'); // who has no line does not wait on it
  }),

  'a pop is acked as painted, with what stands there': desk(async (x) => {
    await scenes.offered(x);
    const { d } = x.server.frames.find((f) => f.t === 'pop_ack');
    assert.deepEqual({ call: d.call, attempt: d.attempt, mode: d.mode, version: d.version }, { call: 12, attempt: 1, mode: 'painted', version: 7 });
    for (const p of ['bar', 'who', 'money', 'products', 'tickets', 'timeline', 'answers', 'notes', 'path']) assert.equal(d.panels[p], 'shown', p);
    assert.equal(d.panels.from, 'empty');
    assert.equal(await x.id('caller-name').textContent(), 'Dana Whitcombe');
    assert.match(await x.id('balance').textContent(), /23\.10/);
    assert.match(await x.id('last-note').textContent(), /Patient, works evenings/);
    assert.equal(await x.id('caller-number').textContent(), '07700 900417United Kingdom');
    assert.ok(!(await x.page.title()).includes('Dana'));
  }),

  'a hidden page says so at once, and again when it is seen': desk(async (x) => {
    await x.page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => window.pretend ?? 'hidden' });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    x.server.send('pop', card(Date.now()));
    await x.server.got('pop_ack', (d) => d.mode === 'hidden');
    assert.equal(x.server.frames.filter((f) => f.t === 'pop_ack').length, 1);
    await x.page.evaluate(() => {
      window.pretend = 'visible';
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await x.server.got('pop_ack', (d) => d.mode === 'painted');
  }),

  'a record that comes late is painted and acked again': desk(async (x) => {
    await scenes.pending(x);
    const first = x.server.frames.find((f) => f.t === 'pop_ack').d;
    assert.equal(first.version, 0);
    assert.equal(first.panels.who, 'late');
    x.server.send('card', card(Date.now()));
    const again = await x.server.got('pop_ack', (d) => d.version === 7);
    assert.equal(again.d.panels.money, 'shown');
  }),

  'what another system writes during a call stands in the timeline, and only https is a link': desk(async (x) => {
    await scenes.offered(x);
    const now = Date.now(), later = card(now);
    const record = { ...later.record, version: 8, interactions: [{
      id: 'post:17', at: new Date(now).toISOString(), channel: 'mail', title: 'Moves in May', agent: { agent: '', name: 'Ola Berg' }, source: 'mail-desk', changed_at: new Date(now).toISOString(),
      links: [{ title: 'letter.pdf', url: 'https://files.example.com/7?page=2' }, { url: 'https://files.example.com/8' }, { title: 'script', url: 'javascript:alert(1)' }, { title: 'plain', url: 'http://files.example.com/9' }, { title: 'none', url: '7.pdf' }],
    }, ...later.record.interactions] };
    x.server.send('card', { ...later, record });
    await x.server.got('pop_ack', (d) => d.version === 8);
    const first = x.page.locator('[data-testid=timeline] > li').first();
    assert.match(await first.innerText(), /Mail Moves in May\s+Ola Berg\s+From mail-desk · changed \d\d:\d\d/);
    const links = await first.locator('a').evaluateAll((all) => all.map((a) => [a.textContent, a.getAttribute('href'), a.target, a.rel]));
    assert.deepEqual(links, [['letter.pdf', 'https://files.example.com/7?page=2', '_blank', 'noopener noreferrer'], ['files.example.com', 'https://files.example.com/8', '_blank', 'noopener noreferrer']]);
    await accessible(x.page);
    await fits(x.page);
  }),

  'everything the first agent knew stands on the second one’s page': desk(async (x) => {
    await scenes.received(x);
    const text = await x.page.locator('main').innerText() + (await x.id('bar').innerText());
    const r = people(Date.now()).dana;
    for (const known of [r.name, r.id, '07700 900417', '01632 960118', 'English', r.segment, '£23.10', '£64.20', '£12.50', 'Owen Tarrant', 'Leo Whitcombe', ...r.churn_reasons, ...r.heed,
      ...r.products.map((p) => p.name), ...r.tickets.flatMap((t) => [t.id, t.title, t.detail]), ...r.interactions.flatMap((i) => [i.title, i.note, i.detail].filter(Boolean)),
      'Drops 20 to 22 h since 3 Nov', 'Port 12 is full in the evening', 'A promised call back was missed', 'keep_valued', 'Retention', 'Sofia Adler, talked 4:31', 'Line fault']) assert.ok(text.includes(known), `missing: ${known}`);
    const { d } = x.server.frames.find((f) => f.t === 'pop_ack');
    for (const p of ['bar', 'who', 'money', 'products', 'tickets', 'timeline', 'answers', 'notes', 'from', 'path']) assert.equal(d.panels[p], 'shown', p);
  }),

  'a withheld number that found the record is told as what it is': desk(async (x) => {
    await scenes.withheld_known(x);
    assert.equal(await x.id('caller-name').textContent(), 'Dana Whitcombe');
    assert.equal(await x.id('caller-number').textContent(), 'withheld, so not shown');
    const text = (await x.page.locator('main').innerText()) + (await x.id('bar').innerText());
    assert.ok(text.includes('Exact match') && text.includes('Number withheld by the caller, vouched for by the network'), text);
    assert.ok(!/no number/i.test(text) && text.includes('01632 960118'), text);
  }),

  'answering with Ctrl Enter, from within a field': desk(async (x) => {
    await scenes.offered(x);
    await x.id('note').click();
    await x.page.keyboard.type('heard of it before');
    await x.page.keyboard.press('Control+Enter');
    const f = await x.server.got('accept');
    assert.deepEqual(f.d, { call: 12, attempt: 1 });
    assert.equal(await x.id('note').inputValue(), 'heard of it before');
  }),

  'nothing takes the focus from somebody who writes': desk(async (x) => {
    await scenes.pending(x);
    await x.id('note').click();
    await x.page.keyboard.type('one ');
    await x.server.got('note');
    await seen(x, 'note-saved');
    x.server.send('card', card(Date.now(), { mode: 'auto' }));
    await x.page.waitForSelector('text=Dana Whitcombe');
    await x.page.keyboard.type('two ');
    phase(x, { call: 12, attempt: 1 }, { phase: 'ringing', until: us(18_000), why: '' });
    await barIs(x, 'ringing');
    await x.page.keyboard.type('three ');
    phase(x, { call: 12, attempt: 1 }, { phase: 'talking', since: us(0) });
    await barIs(x, 'talking');
    await x.page.keyboard.type('four ');
    phase(x, { call: 12, attempt: 1 }, { phase: 'wrap_up', until: us(30_000), disposition: 'optional', set: 'care' });
    await seen(x, 'wrap-up');
    await x.page.keyboard.type('five');
    assert.equal(await x.id('note').inputValue(), 'one two three four five');
  }),

  'no Answer where the phone is picked up by hand, and no focus moved': desk(async (x) => {
    await x.page.getByRole('searchbox', { name: 'Search all standard answers' }).click();
    await x.page.keyboard.type('drops');
    await scenes.ringing(x);
    assert.notEqual(await x.page.evaluate(() => document.activeElement.tagName), 'BUTTON');
    assert.equal(await x.id('answer').count(), 0);
    assert.match(await x.id('phone-rings').innerText(), /Pick up your phone/);
  }),

  'a customer’s whole history is searched, and the timeline comes back': desk(async (x) => {
    x.server.pages[''] = searchData();
    await scenes.talking(x);
    await x.page.keyboard.press('F2');
    await x.page.keyboard.press('KeyF');
    await x.page.keyboard.type('router');
    await x.page.keyboard.press('Enter');
    await x.id('hit').first().waitFor();
    assert.deepEqual(x.server.searches, [{ path: '/api/v1/desk/search', call: 12, words: 'router', after: '' }]);
    assert.deepEqual(await x.page.locator('[data-testid=hits] mark').allInnerTexts(), ['Router', 'router']);
    assert.equal(await x.id('timeline').count(), 0);
    await x.page.keyboard.press('Escape');
    await x.id('timeline').waitFor();
    assert.equal(await x.id('history-search').inputValue(), '');
    await x.id('history-search').fill('modem');
    x.server.pages[''] = { hits: [], next: '', waiting: 0 };
    await x.page.keyboard.press('Enter');
    await x.page.getByText('Nothing found.').first().waitFor();
    x.server.send('card', card(Date.now(), { phase: 'talking', record: { ...card(Date.now()).record, id: 'LW-999' } })); // linked to somebody else
    await x.id('timeline').waitFor();
  }),

  'a supervisor searches everybody’s contacts, page by page': () => withPage({ user: 'boss', prepare: (s) => {
    s.board = boardData();
    s.pages = { '': { ...searchData(), next: 'p2', waiting: 3 }, p2: { hits: [{ ...searchData().hits[0], id: 'far', title: ['Far away ', 'router', ''] }], next: '', waiting: 0 } };
  } }, async ({ page, server, id }) => {
    await page.getByRole('button', { name: 'Search' }).click();
    await id('search-all').fill('router');
    await page.keyboard.press('Enter');
    await id('search-more').click();
    await page.getByText('Far away').waitFor();
    assert.equal(await id('hit').count(), 3);
    assert.equal(await id('search-more').count(), 0);
    assert.match(server.searches[0].since, /^20\d\d-/);
    assert.equal(server.searches[1].after, 'p2');
    await id('days-0').click();
    await id('search-waiting').waitFor();
    assert.equal(server.searches[2].since, null);
    assert.equal(new URL(page.url()).pathname, '/search');
  }),

  'declining asks why; Escape keeps the offer': desk(async (x) => {
    await scenes.declining(x);
    await x.page.keyboard.press('Escape');
    await seen(x, 'answer');
    assert.equal(x.server.frames.filter((f) => f.t === 'decline').length, 0);
    await x.id('decline').click();
    await x.page.keyboard.press('2');
    const f = await x.server.got('decline');
    assert.deepEqual(f.d, { call: 12, attempt: 1, reason: 'know_caller' });
  }),

  'F2 and one key, by its place and in any layout': desk(async (x) => {
    await talk(x);
    await x.id('note').click();
    await x.page.keyboard.press('F2');
    await seen(x, 'keystrip');
    // A Cyrillic layout sends another letter from the same place.
    await x.page.evaluate(() => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'р', code: 'KeyH', bubbles: true, cancelable: true })));
    const f = await x.server.got('hold');
    assert.deepEqual(f.d, { call: 12, attempt: 1, on: true });
    assert.equal(await x.id('note').inputValue(), '');
    await x.page.waitForSelector('[data-testid=keystrip]', { state: 'detached' });
  }),

  'a key that means nothing closes the strip, and typing goes on where it was': desk(async (x) => {
    await talk(x);
    await x.id('note').click();
    await x.page.keyboard.type('drops ');
    for (const open of [() => x.page.keyboard.press('F2'), () => x.id('keys').click()]) {
      await open();
      await seen(x, 'keystrip');
      await x.page.keyboard.press('z');
      await x.page.waitForSelector('[data-testid=keystrip]', { state: 'detached' });
      await x.page.keyboard.type('here ');
    }
    await x.page.keyboard.press('F2');
    await seen(x, 'keystrip');
    await x.page.keyboard.press('e');
    await x.page.waitForSelector('[data-testid=keystrip] >> text=again');
    await x.page.keyboard.press('q');
    await x.page.waitForSelector('[data-testid=keystrip]', { state: 'detached' });
    await x.page.keyboard.type('here');
    assert.equal(await x.id('note').inputValue(), 'drops here here here');
    await x.server.got('note', (d) => d.text === 'drops here here here');
    assert.deepEqual(x.server.frames.filter((f) => ['hold', 'hangup', 'transfer'].includes(f.t)), []);
  }),

  'ending a call takes two presses': desk(async (x) => {
    await talk(x);
    await x.page.keyboard.press('F2');
    await seen(x, 'keystrip');
    await x.page.keyboard.press('e');
    await x.page.waitForSelector('[data-testid=keystrip] >> text=again');
    assert.equal(x.server.frames.filter((f) => f.t === 'hangup').length, 0);
    await x.page.keyboard.press('e');
    await x.server.got('hangup');
  }),

  'keys stay silent while text is composed': desk(async (x) => {
    await scenes.offered(x);
    await x.page.evaluate(() => {
      for (const init of [{ key: 'Enter', code: 'Enter', ctrlKey: true }, { key: 'F2', code: 'F2' }]) document.dispatchEvent(new KeyboardEvent('keydown', { ...init, bubbles: true, isComposing: true }));
    });
    await x.id('language').click(); // something that goes through after them
    assert.equal(await x.id('keystrip').count(), 0);
    assert.equal(x.server.frames.filter((f) => f.t === 'accept').length, 0);
  }),

  'a note is kept as it is written': desk(async (x) => {
    await talk(x);
    await x.id('note').fill('Drops since 3 Nov.');
    const f = await x.server.got('note');
    assert.deepEqual(f.d, { call: 12, attempt: 1, text: 'Drops since 3 Nov.' });
    await seen(x, 'note-saved');
  }),

  'passing on to a topic, with one sentence': desk(async (x) => {
    await talk(x);
    await x.id('note').fill('Router restarted twice.');
    await x.page.keyboard.press('F2');
    await seen(x, 'keystrip');
    await x.page.keyboard.press('t');
    await seen(x, 'transfer-panel');
    await x.id('transfer-search').fill('fault');
    await x.page.keyboard.press('1');
    await x.id('transfer-note').fill('Please fix a date.');
    await x.page.keyboard.press('Control+Enter');
    const f = await x.server.got('transfer');
    assert.deepEqual(f.d, { call: 12, attempt: 1, topic: 'line_fault', note: 'Please fix a date.' });
    const order = x.server.frames.map((m) => m.t);
    assert.ok(order.indexOf('note') < order.indexOf('transfer'), 'the note goes before the call');
    await x.page.waitForSelector('[data-testid=transfer-panel]', { state: 'detached' });
  }),

  'digits in the transfer panel: grey while they would be typed': desk(async (x) => {
    await talk(x);
    await x.id('transfer').click();
    await seen(x, 'transfer-panel');
    await bright(x, '.xfer kbd.digit', true);
    await x.id('transfer-note').click();
    await bright(x, '.xfer kbd.digit', false);
    await x.page.keyboard.type('1');
    assert.equal(await x.page.locator('[role=option][aria-selected=true]').count(), 0);
    await x.id('transfer-search').click();
    await x.page.keyboard.press('4');
    await x.page.waitForSelector('[data-testid="to-queue:support"][aria-selected=true]');
  }),

  'passing on to the first that was found, without choosing it': desk(async (x) => {
    await talk(x);
    await x.id('transfer').click();
    await seen(x, 'transfer-panel');
    await x.page.keyboard.press('Control+Enter');
    await x.page.keyboard.press('Enter');
    assert.equal(await x.page.locator('[role=option][aria-selected=true]').count(), 0, 'nobody is picked before a word is typed');
    await x.page.keyboard.type('fault');
    await x.page.waitForSelector('[data-testid="to-topic:line_fault"][aria-selected=true]');
    await x.page.keyboard.press('Enter');
    await x.page.keyboard.type('Please fix a date.');
    assert.equal(await x.id('transfer-note').inputValue(), 'Please fix a date.');
    await x.page.keyboard.press('Control+Enter');
    await x.page.waitForSelector('[data-testid=transfer-panel]', { state: 'detached' });
    const sent = x.server.frames.filter((f) => f.t === 'transfer').map((f) => f.d);
    assert.deepEqual(sent, [{ call: 12, attempt: 1, topic: 'line_fault', note: 'Please fix a date.' }]);
    phase(x, { call: 12, attempt: 1 }, { phase: 'wrap_up', until: us(38_000), disposition: 'optional', set: 'care' });
    await seen(x, 'wrap-up');
    assert.equal(await x.id('passed-on').innerText(), 'Passed on to Line fault');
    assert.match(await x.id('bar-state').innerText(), /^Passed on to Line fault/);
    const page = await x.page.locator('body').innerText();
    assert.ok(!page.includes('Call over') && !page.includes('0 transfers'), page);
  }),

  'passing on to a telephone number: digits are typed, nothing goes along, nobody is asked first': desk(async (x) => {
    await scenes.transfer_number(x);
    assert.equal(await x.id('transfer-search').inputValue(), '+44 20 7946 0911');
    await seen(x, 'nothing-along');
    assert.equal(await x.id('transfer-note').count(), 0);
    assert.equal(await x.id('ask-first').getAttribute('aria-disabled'), 'true');
    await x.id('ask-first').click({ force: true });
    await x.id('transfer-search').focus();
    await x.page.keyboard.press('Enter');
    await x.page.waitForFunction(() => document.activeElement.dataset.testid === 'transfer-go');
    await x.page.keyboard.press('Control+Enter');
    const f = await x.server.got('transfer');
    assert.deepEqual(f.d, { call: 12, attempt: 1, number: '+44 20 7946 0911', note: '' });
    assert.ok(!x.server.frames.some((m) => m.t === 'consult'));
    await x.id('transfer-panel').waitFor({ state: 'detached' });
    phase(x, { call: 12, attempt: 1 }, { phase: 'wrap_up', until: us(38_000), disposition: 'optional', set: 'care' });
    await seen(x, 'wrap-up');
    assert.equal(await x.id('passed-on').innerText(), 'Passed on to +44 20 7946 0911');
  }),

  'a number that is not allowed is refused, and what was typed stays': desk(async (x) => {
    x.server.refuse.transfer = 'number_not_allowed';
    await scenes.transfer_number(x);
    await x.id('transfer-go').click();
    await x.page.waitForFunction(() => document.querySelector('[data-testid=refusal]').textContent.includes('must not be passed on'));
    assert.equal(await x.id('transfer-search').inputValue(), '+44 20 7946 0911');
  }),

  'a call that the number has not taken says so when it is back': desk(async (x) => {
    await scenes.back(x);
    assert.equal(await x.id('bar-state').innerText(), 'Back to you: the number is busy');
  }),

  'a refused transfer says why and keeps what was written': desk(async (x) => {
    x.server.refuse.transfer = 'closed';
    await scenes.transfer(x);
    await x.id('transfer-note').fill('Please fix a date.');
    await x.id('transfer-go').click();
    await x.page.waitForFunction(() => document.querySelector('[data-testid=refusal]').textContent.includes('closed'));
    assert.equal(await x.id('transfer-note').inputValue(), 'Please fix a date.');
  }),

  'asking first: whom, what, and the panel is gone': desk(async (x) => {
    await scenes.transfer(x);
    await x.id('to-agent:petar').click();
    await x.page.fill('[data-testid=transfer-note]', 'Port 12 is full. Is there a spare one?');
    await x.id('ask-first').click();
    const { d } = await x.server.got('consult');
    assert.deepEqual(d, { call: 12, attempt: 1, agent: 'petar', note: 'Port 12 is full. Is there a spare one?' });
    await x.id('transfer-panel').waitFor({ state: 'detached' });
    assert.ok(!x.server.frames.some((f) => f.t === 'transfer'));
  }),

  'a question that is refused says why and keeps what was written': desk(async (x) => {
    x.server.refuse.consult = 'closed';
    await scenes.transfer(x);
    await x.page.fill('[data-testid=transfer-note]', 'A spare port?');
    await x.id('ask-first').click();
    await x.page.waitForFunction(() => document.querySelector('[data-testid=refusal]').textContent.includes('closed'));
    assert.equal(await x.page.inputValue('[data-testid=transfer-note]'), 'A spare port?');
  }),

  'while asking the bar says whom, and its acts are those of a question': desk(async (x) => {
    const c = await talk(x);
    const line = () => x.id('bar-state').textContent();
    await asking(x, c, { phase: 'waiting', agent: '', name: '', topic: 'line_fault' });
    assert.match(await line(), /Asking Line fault, nobody is there yet/);
    assert.equal(await x.id('hand-over').getAttribute('aria-disabled'), 'true');
    await x.id('hand-over').click({ force: true });
    await asking(x, c, { phase: 'ringing' });
    await x.page.getByText('Asking Petar Georgiev, the phone rings').first().waitFor();
    await asking(x, c);
    phase(x, c, { phase: 'hold', since: us(0) });
    await x.page.getByText('Asking Petar Georgiev, customer on hold').first().waitFor();
    for (const gone of ['hold', 'transfer', 'hangup']) assert.equal(await x.id(gone).count(), 0, gone);
    await x.id('swap').click();
    assert.deepEqual((await x.server.got('hold')).d, { call: 12, attempt: 1, on: false });
    phase(x, c, { phase: 'talking', since: us(0) });
    await x.page.getByText('With the customer, Petar Georgiev waits').first().waitFor();
    await x.id('swap').click();
    await x.server.got('hold', (d) => d.on === true);
    await x.id('hand-over').click();
    assert.deepEqual((await x.server.got('consult_complete')).d, { call: 12, attempt: 1 });
    assert.equal(x.server.frames.filter((f) => f.t === 'consult_complete').length, 1);
  }),

  'the question is over: with the customer again, and why': desk(async (x) => {
    const c = await asks(x);
    await x.id('stop-asking').click();
    assert.deepEqual((await x.server.got('consult_stop')).d, { call: 12, attempt: 1 });
    x.server.send('consult', { call: 12, attempt: 1, consult: null, why: 'rona' });
    phase(x, c, { phase: 'talking', since: us(0) });
    await x.page.getByText('With the customer again: no answer').first().waitFor();
    for (const back of ['hold', 'transfer', 'hangup']) await seen(x, back);
  }),

  'a call of a PBX has the record, and nothing to decline, hold or pass on': desk(async (x) => {
    await scenes.pbx_rings(x);
    assert.equal(await x.id('decline').count(), 0);
    await scenes.pbx_talks(x);
    for (const act of ['hold', 'transfer']) assert.equal(await x.id(act).count(), 0, act);
    assert.equal((await x.id('hangup').textContent()).trim(), 'Call is over');
    assert.match(await x.id('agent-state').textContent(), /Call of the PBX/);
    for (const key of ['h', 't', 'd']) {
      await x.page.keyboard.press('F2');
      await seen(x, 'keystrip');
      await x.page.keyboard.press(key);
    }
    await x.id('hangup').click();
    await x.server.got('hangup');
    for (const t of ['hold', 'transfer', 'decline']) assert.equal(x.server.frames.some((f) => f.t === t), false, t);
    assert.equal(await x.id('transfer-panel').count(), 0);
  }),

  'the keys of a question': desk(async (x) => {
    await asks(x);
    const strip = async (key) => {
      await x.page.keyboard.press('F2');
      await seen(x, 'keystrip');
      await x.page.keyboard.press(key);
    };
    await strip('h');
    await x.server.got('hold', (d) => d.on === false);
    await strip('s');
    await x.server.got('consult_stop');
    await strip('t');
    await x.server.got('consult_complete');
    assert.equal(await x.id('transfer-panel').count(), 0);
  }),

  'who is asked sees the record, who asks and what, and can only leave': desk(async (x) => {
    await scenes.asked(x);
    assert.match(await x.id('bar-state').textContent(), /Sofia Adler asks you, the customer holds/);
    assert.match(await x.id('story').textContent(), /Port 12 is full\. Is there a spare one\?/);
    assert.match(await x.id('is-question').textContent(), /stays with Sofia Adler/);
    assert.equal(await x.id('caller-name').textContent(), 'Dana Whitcombe');
    for (const gone of ['hold', 'transfer', 'stop-asking', 'hand-over']) assert.equal(await x.id(gone).count(), 0, gone);
    await x.id('hangup').click();
    assert.deepEqual((await x.server.got('hangup')).d, { call: 13, attempt: 1 });
  }),

  'who is asked gets the call: its card takes the place of the question’s': desk(async (x) => {
    await scenes.asked(x);
    x.server.send('phase', { call: 13, attempt: 1, phase: 'done' });
    x.server.send('pop', cardFor(x, { attempt: 2, phase: 'talking', from: question(x).from, note: 'Moves the line to port 14.' }));
    await seen(x, 'transfer');
    assert.equal(await x.id('is-question').count(), 0);
    assert.equal(await x.page.inputValue('#note'), 'Moves the line to port 14.');
    const told = (a) => a.call === 12 && a.attempt === 2;
    const { d } = await x.server.got('pop_ack', told); // what was known need not be asked again
    assert.equal(d.panels.from, 'shown');
    // Later she opens what hides a part of it, and the record changes: nothing is asked again.
    await x.id('transfer').click();
    await seen(x, 'transfer-panel');
    const c = cardFor(x, { attempt: 2, phase: 'talking', from: question(x).from });
    x.server.send('card', { ...c, record: { ...c.record, version: c.record.version + 1, name: 'Dana Whitcombe-Hale' } });
    await x.page.getByText('Dana Whitcombe-Hale').first().waitFor();
    await x.page.evaluate(() => new Promise((done) => { const wait = (n) => (n ? requestAnimationFrame(() => wait(n - 1)) : done()); wait(4); }));
    await x.page.keyboard.press('Escape');
    await x.id('hold').click();
    await x.server.got('hold'); // behind whatever was sent before
    assert.equal(x.server.frames.filter((f) => f.t === 'pop_ack' && told(f.d)).length, 1);
  }),

  'what was written about a call that is gone is not kept in the browser': desk(async (x) => {
    x.server.refuse.note = 'failed';
    await scenes.asked(x);
    await x.page.fill('#note', 'Port 14 is free.');
    await x.server.got('note');
    x.server.send('phase', { call: 13, attempt: 1, phase: 'done' });
    await barIs(x, 'idle');
    assert.deepEqual(await x.page.evaluate(() => Object.keys(sessionStorage).filter((k) => k.startsWith('cordboard.draft.'))), []);
  }),

  'a standard answer that was read out is told': desk(async (x) => {
    await talk(x);
    await x.id('answer-used').first().click();
    const f = await x.server.got('answer_used');
    assert.equal(f.d.answer, 'a1');
    await x.page.waitForSelector('.ans .used');
  }),

  'answers of an open call follow the language': desk(async (x) => {
    await talk(x);
    await x.id('language').click();
    const f = await x.server.got('answers', (d) => d.lang === 'ru');
    assert.deepEqual(f.d, { lang: 'ru', topic: 'line_fault', query: '' });
    await x.page.waitForSelector('[data-testid=answers] >> text=Медленно или обрывы');
    await x.id('language').click();
    await x.page.waitForSelector('[data-testid=answers] >> text=Slow or dropping');
    assert.deepEqual(x.server.frames.filter((m) => m.t === 'answers' && m.d.topic !== '').map((m) => m.d), [f.d]);
  }),

  'searching the answers': desk(async (x) => {
    await talk(x);
    await x.page.keyboard.press('F2');
    await seen(x, 'keystrip');
    await x.page.keyboard.press('k');
    await x.page.getByRole('searchbox', { name: 'Search all standard answers' }).fill('leaving');
    const f = await x.server.got('answers', (d) => d.query === 'leaving');
    assert.equal(f.d.lang, 'en');
    await x.page.waitForFunction(() => document.querySelectorAll('[data-testid=answers] > li').length === 1);
  }),

  'nothing personal before the choice': desk(async (x) => {
    await scenes.several(x);
    const text = await x.page.locator('body').innerText();
    for (const secret of ['Ruth', 'Calloway', 'Northgate', 'LW-300', 'Fibre 500', '23.10', 'Patient']) assert.ok(!text.includes(secret), secret);
    assert.ok(!(await x.page.content()).includes('Calloway'), 'nor hidden in the page');
    await x.id('said-name').fill('ruth');
    await x.page.waitForSelector('.agree.ok');
    assert.equal(await x.page.locator('.tells .agree.ok').count(), 1);
    await x.page.keyboard.press('F2');
    await seen(x, 'keystrip');
    await x.page.keyboard.press('1');
    const f = await x.server.got('choose');
    assert.equal(f.d.customer, 'LW-300 000 01');
    x.server.send('card', card(Date.now(), { match: 'several', record: people(Date.now()).ruth }));
    await x.page.waitForSelector('text=Ruth Calloway');
  }),

  'a number is linked with the customer whom the caller names': desk(async (x) => {
    await scenes.unknown_talking(x);
    await x.id('link-id').fill(' LW-300 000 01 ');
    x.server.refuse = { link: 'unknown_target' };
    await x.page.keyboard.press('Enter');
    await x.page.waitForSelector('text=No customer has this number.');
    x.server.refuse = {};
    await x.page.getByRole('button', { name: 'Open, and keep this number with it' }).click();
    const f = await x.server.got('link', (d) => d.customer === 'LW-300 000 01' && !d.undo);
    assert.equal(f.d.call, 12);
    const ruth = people(Date.now()).ruth;
    const of = (by) => ({ ...ruth, numbers: [{ e164: '+447700900555', ...(by && { by: { agent: 'priya', name: 'Priya Nair' }, confirmed_at: new Date().toISOString() }) }] });
    const shown = (by) => x.server.send('card', card(Date.now(), { match: 'exact', shared: 2, record: of(by), phase: 'talking', caller: { number: '+447700900555', country: 'GB', source: 'from', trusted: false } }));
    shown(true);
    await x.id('number-unlink').click();
    await x.server.got('link', (d) => d.undo);
    shown(false);
    await x.id('number-link').click();
    await x.server.got('link', (d) => d.customer === ruth.id && !d.undo);
  }),

  'the call of somebody else is cleared at once': desk(async (x) => {
    await scenes.gave_up(x);
    const page = await x.page.content();
    for (const secret of ['Dana', 'Whitcombe', '900417']) assert.ok(!page.includes(secret), secret);
    await x.page.waitForSelector('[data-testid=gone]', { state: 'detached', timeout: 30_000 });
  }, { prepare: (s) => void (s.requests = []) }), // her own request of hers would stand between calls

  'while the customer is called nobody is told to answer': desk(async (x) => {
    x.server.send('pop', card(Date.now(), { callback: { accepted: Date.now() * 1000, try: 1 } }));
    x.server.send('phase', { call: 12, attempt: 1, phase: 'calling', until: (Date.now() + 30_000) * 1000 });
    await x.page.waitForSelector('[role=alert] >> text=We call the customer', { state: 'attached' });
    assert.equal(await x.page.getByRole('button', { name: 'Answer' }).count(), 0);
  }),

  'a customer who is not reached is said to be, in words': desk(async (x) => {
    await scenes.offered(x);
    x.server.send('withdraw', { call: 12, attempt: 1, why: 'customer_busy' });
    await x.page.waitForSelector('[data-testid=gone] >> text=The customer’s line was busy.');
  }),

  'a phase of an older attempt changes nothing': desk(async (x) => {
    await offer(x, card(Date.now(), { attempt: 2 }));
    x.server.send('phase', { call: 12, attempt: 1, phase: 'talking', since: us(0) });
    x.server.send('phase', { call: 12, attempt: 2, phase: 'may_accept', until: us(9000) });
    await seen(x, 'answer');
    assert.equal(await x.id('bar').getAttribute('data-phase'), 'may_accept');
  }),

  'wrap-up: outcome by digit, note, state afterwards, Ctrl Enter': desk(async (x) => {
    await scenes.wrap_up(x);
    await x.page.keyboard.press('Control+Enter');
    await x.page.waitForSelector('[data-testid=outcome-required][role=alert]');
    assert.equal(x.server.frames.filter((f) => f.t === 'wrap_up').length, 0);
    await x.page.keyboard.press('2');
    await x.page.waitForSelector('[data-testid=disposition-fixed][aria-checked=true]');
    await x.id('note').fill('Fixed on the line.');
    await x.id('next-lunch').click();
    await x.page.keyboard.press('Control+Enter');
    const f = await x.server.got('wrap_up');
    assert.deepEqual(f.d, { call: 12, attempt: 1, disposition: 'fixed', answers: {}, note: 'Fixed on the line.' });
    const s = x.server.frames.findIndex((m) => m.t === 'state');
    assert.deepEqual(x.server.frames[s].d, { state: 'not_ready', reason: 'lunch' });
    assert.ok(s < x.server.frames.findIndex((m) => m.t === 'wrap_up'));
    x.server.send('phase', { call: 12, attempt: 1, phase: 'done' });
    await barIs(x, 'idle');
  }),

  'an outcome asks for what it needs: by digit to the first field, Tab to the next, kept when another is tried': desk(async (x) => {
    await scenes.wrap_up(x);
    await x.page.keyboard.press('3');
    await x.page.waitForSelector('[data-testid=ask-when]:focus');
    await x.page.keyboard.type('Monday 10:00');
    await x.page.keyboard.press('Tab');
    await x.page.waitForSelector('[data-testid=ask-topic]:focus');
    await x.page.keyboard.type('Line fault 2');
    assert.equal(await x.page.locator('[data-testid^=ask-]').count(), 2); // the note has a field of its own
    await x.id('disposition-fixed').click();
    assert.equal(await x.page.locator('[data-testid^=ask-]').count(), 0);
    await x.id('disposition-call_back').click();
    assert.equal(await x.id('ask-when').inputValue(), 'Monday 10:00');
    await x.id('ask-topic').fill('  ');
    await x.page.keyboard.press('Control+Enter');
    assert.deepEqual((await x.server.got('wrap_up')).d, { call: 12, attempt: 1, disposition: 'call_back', answers: { when: 'Monday 10:00' }, note: '' });
  }),

  'an outcome’s digit is bright only where it chooses': desk(async (x) => {
    const c = await talk(x);
    await x.page.keyboard.press('F2');
    await seen(x, 'keystrip');
    await x.page.keyboard.press('n');
    await x.page.keyboard.type('Booked the engineer.');
    await bright(x, '.codes kbd.digit', false);
    await x.page.keyboard.press('F2');
    await seen(x, 'keystrip');
    await x.page.keyboard.press('e');
    await x.page.waitForSelector('[data-testid=keystrip] >> text=again');
    await x.page.keyboard.press('e');
    await x.server.got('hangup');
    phase(x, c, { phase: 'wrap_up', until: us(38_000), disposition: 'optional', set: 'care' });
    await seen(x, 'wrap-up');
    await bright(x, '.outcomes kbd.digit', false); // whoever writes goes on writing
    await x.page.keyboard.type(' At 9');
    assert.equal(await x.id('note').inputValue(), 'Booked the engineer. At 9');
    await x.page.keyboard.press('F2');
    await seen(x, 'keystrip');
    await x.page.keyboard.press('o');
    await bright(x, '.outcomes kbd.digit', true);
    await x.page.keyboard.press('1');
    await x.page.waitForSelector('[data-testid=disposition-fault_ticket][aria-checked=true]');
    assert.equal(await x.id('note').inputValue(), 'Booked the engineer. At 9');
  }),

  'who writes nothing when a call ends chooses by digit at once': desk(async (x) => {
    await scenes.wrap_up(x);
    await bright(x, '.outcomes kbd.digit', true);
    await x.page.keyboard.press('2');
    await x.page.waitForSelector('[data-testid=disposition-fixed][aria-checked=true]');
  }),

  'the specialist’s wrap-up keeps what the sender said and noted': desk(async (x) => {
    for (const note of ['Please fix a date.', '']) {
      const call = note ? 12 : 13;
      const c = received(Date.now(), { call });
      c.from.note = note;
      await offer(x, c);
      phase(x, c, { phase: 'talking', since: us(-60_000) });
      await barIs(x, 'talking');
      phase(x, c, { phase: 'wrap_up', until: us(38_000), disposition: 'optional', set: 'care' });
      await seen(x, 'wrap-up');
      assert.equal(await x.id('earlier-note').first().innerText(), c.notes[0].text);
      assert.deepEqual(await x.id('from-note').allInnerTexts(), note ? [note] : []);
      assert.equal(await x.page.getByRole('heading', { name: `From ${c.from.name}` }).count(), note ? 1 : 0);
    }
  }),

  'nobody is called ready while the line is lost': desk(async (x) => {
    const own = x.id('agent-state');
    assert.match(await own.innerText(), /Ready/);
    x.server.down = true;
    x.server.ws.terminate();
    await seen(x, 'lost');
    assert.equal(await own.getAttribute('data-state'), 'unknown');
    assert.doesNotMatch(await own.innerText(), /Ready/);
    x.server.down = false;
    // Its own next try may have been quicker: then there is nothing to press.
    await x.page.evaluate(() => document.querySelector('[data-testid=try-now]')?.click());
    await x.page.waitForSelector('[data-testid=agent-state][data-state=available]');
  }),

  'not ready for a reason, and back': desk(async (x) => {
    await x.id('not-ready').click();
    await x.id('reason-lunch').click();
    assert.deepEqual((await x.server.got('state')).d, { state: 'not_ready', reason: 'lunch' });
    x.server.send('status', { agent: 'priya', state: 'not_ready', reason: 'lunch', since: us(0), until: 0 });
    await x.id('ready').click();
    await x.server.got('state', (d) => d.state === 'available');
  }),

  'a lost line resumes: nothing twice, nothing lost': desk(async (x) => {
    await talk(x);
    x.server.resumeNext = true;
    x.server.down = true;
    x.server.ws.terminate();
    await seen(x, 'lost');
    await x.id('note').fill('Written while the line was down.');
    x.server.send('phase', { call: 12, attempt: 1, phase: 'hold', since: us(0) });
    x.server.down = false;
    await x.page.waitForSelector('[data-testid=desk][data-link=online]');
    await barIs(x, 'hold');
    const hello = x.server.hellos.at(-1);
    assert.deepEqual(hello.resume, { session: '1', seq: x.server.seq - 1 });
    assert.equal((await x.server.got('note')).d.text, 'Written while the line was down.');
  }),

  'a gap in the sequence makes the desk come back for it': desk(async (x) => {
    await talk(x);
    x.server.resumeNext = true;
    x.server.send('phase', { call: 12, attempt: 1, phase: 'hold', since: us(0) }, { lost: true });
    x.server.send('status', { agent: 'priya', state: 'hold', since: us(0), until: 0 });
    await x.server.until('a second hello', () => x.server.hellos.length === 2);
    await barIs(x, 'hold');
  }),

  'a desk that is not resumed draws the cards anew and acks again': desk(async (x) => {
    const c = cardFor(x, { phase: 'ringing', until: us(20_000) });
    await offer(x, c);
    x.server.cards = [c];
    const before = x.server.frames.filter((f) => f.t === 'pop_ack').length;
    x.server.ws.terminate();
    await x.server.until('another ack', () => x.server.frames.filter((f) => f.t === 'pop_ack').length > before);
    await barIs(x, 'ringing');
  }),

  'a desk replaced by a newer login stays quiet until it is wanted': desk(async (x) => {
    await scenes.replaced(x);
    assert.equal(x.server.hellos.length, 1);
    await x.id('take-over').click();
    await x.page.waitForSelector('[data-testid=desk][data-link=online]');
    assert.equal(x.server.hellos.length, 2);
    assert.equal(x.server.hellos[1].resume, undefined);
  }),

  'a draft outlives a reload': desk(async (x) => {
    const c = await talk(x);
    x.server.cards = [{ ...c, phase: 'talking', since: us(-260_000) }];
    x.server.refuse.note = 'not_now';
    await x.id('note').fill('Half a sentence');
    await x.server.got('note');
    x.server.refuse = {};
    await x.page.reload();
    await x.page.waitForFunction(() => document.querySelector('#note')?.value === 'Half a sentence');
  }),

  'an offer is announced once': desk(async (x) => {
    await x.page.evaluate(() => {
      window.said = [];
      const live = [...document.querySelectorAll('[role=alert]')].find((e) => e.classList.contains('vh'));
      new MutationObserver(() => live.textContent && window.said.push(live.textContent)).observe(live, { childList: true, characterData: true, subtree: true });
    });
    await scenes.offered(x);
    phase(x, { call: 12, attempt: 1 }, { phase: 'ringing', until: us(18_000), why: '' });
    await barIs(x, 'ringing');
    assert.equal((await x.page.evaluate(() => window.said)).length, 1);
    assert.match((await x.page.evaluate(() => window.said))[0], /^Dana Whitcombe, Retention/);
  }),

  'language, theme and density change in place': desk(async (x) => {
    await talk(x);
    await x.id('language').click();
    await x.page.waitForSelector('text=Стол');
    assert.equal(await x.page.evaluate(() => document.documentElement.lang), 'ru');
    await x.id('me').click();
    await x.id('theme-dark').click();
    await x.page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
    await x.id('me').click();
    await x.id('density-16').click();
    await x.page.reload();
    await x.page.waitForFunction(() => document.documentElement.dataset.theme === 'dark' && document.documentElement.dataset.density === '16' && document.documentElement.lang === 'ru');
  }),

  'signing out ends the desk and the session': desk(async (x) => {
    await x.id('me').click();
    await x.id('sign-out').click();
    await x.server.got('sign_out');
    await seen(x, 'login');
    await x.page.goto(x.server.url + '/');
    await seen(x, 'login');
  }),

  'an ended session leads to the sign-in': desk(async (x) => {
    await x.context.clearCookies();
    x.server.ws.terminate();
    await seen(x, 'login');
  }),

  'a request is worked on between calls: a word for the customer, waiting, closed': desk(async ({ page, id, server }) => {
    await id('request-R-7K3F9-2QXM1').click();
    await id('request-steps').waitFor();
    await id('request-word').fill('An engineer comes on Monday.');
    await id('request-shown').check();
    await id('do-wait').click();
    await page.waitForSelector('[data-testid=request-steps] li[data-kind=word] >> text=the customer sees it');
    assert.equal(await id('request-word').inputValue(), '');
    await id('do-resume').click();
    await id('do-close').selectOption('done');
    await page.waitForSelector('[data-testid=request-steps] li[data-kind=closed] >> text=Priya Nair closed it: Done');
    assert.equal(await id('do-take').count(), 0);
    await page.keyboard.press('Escape');
    await id('request').waitFor({ state: 'detached' });
    await id('request-R-7K3F9-2QXM1').waitFor({ state: 'detached' });
    assert.deepEqual(server.requests[1].steps.map((s) => [s.kind, s.shown]), [['opened', false], ['waiting', false], ['word', true], ['resumed', false], ['closed', false]]);
  }),

  'what the customer agreed to is shown, and what he says is written down': desk(async (x) => {
    await scenes.offered(x);
    const words = () => x.page.locator('[data-testid=consent-words] li').allInnerTexts();
    await x.id('consent-words').waitFor();
    assert.match((await words())[0], /Offers, by mail:\s+yes[^]*crm/);
    assert.equal(await x.id('consent-new').count(), 0); // nobody has been asked yet
    await scenes.talking(x);
    await x.id('consent-stop').click();
    x.server.consentsStuck = true;
    await x.id('consent-send').click();
    await x.page.waitForSelector('[data-testid=consent-dialog] [role=alert]');
    x.server.consentsStuck = false;
    await x.id('consent-evidence').fill(' He wants no calls. ');
    await x.id('consent-send').click();
    await x.id('consent-dialog').waitFor({ state: 'detached' });
    const heard = x.server.consents[0];
    assert.deepEqual([heard.call, heard.purpose, heard.channel, heard.state, heard.evidence], [12, 'any', 'call', 'withdrawn', 'He wants no calls.']);
    assert.match((await words())[0], /Everything, by phone:\s+withdrawn[^]*Priya Nair/);
    await x.id('consent-new').click();
    await x.id('consent-purpose').selectOption('survey');
    await x.id('consent-channel').selectOption('sms');
    await x.id('consent-state').selectOption('refused');
    await x.id('consent-send').click();
    await x.id('consent-dialog').waitFor({ state: 'detached' });
    assert.equal((await words()).length, 3);
    assert.equal(x.server.consents[0].state, 'refused');
  }),

  'a request is opened in a call, stands in the record, and is taken over': desk(async (x) => {
    await scenes.talking(x);
    await x.id('request-R-4B8WD-H0C6Y').waitFor();
    await x.id('request-new').click();
    await x.id('request-type').selectOption('repair');
    await x.id('request-title').fill('Wants a second socket');
    await x.id('request-open').click();
    await x.id('open-request').waitFor({ state: 'detached' });
    await x.id('request-R-Z5N1T-RE8GY').waitFor();
    assert.deepEqual([x.server.requests[2].type, x.server.requests[2].call], ['repair', 12]);
    await x.id('request-R-4B8WD-H0C6Y').click();
    await x.id('do-take').click();
    await x.page.waitForSelector('[data-testid=request-steps] li[data-kind=taken]');
    assert.equal(x.server.requests[0].owner, 'priya');
    // What somebody else has done meanwhile is told.
    x.server.requestsGone = true;
    await x.id('do-wait').click();
    await x.page.waitForSelector('[data-testid=request] [role=alert] >> text=changed it meanwhile');
  }),

  'the console lists requests, and whose task the late ones are': desk(async ({ page, id }) => {
    await page.getByRole('button', { name: /^(Requests|Заявки)$/ }).click();
    await id('row-R-4B8WD-H0C6Y').waitFor();
    assert.deepEqual(await page.locator('[data-testid=requests] tbody tr').evaluateAll((all) => all.map((x) => [x.dataset.testid, x.dataset.late])), [['row-R-4B8WD-H0C6Y', 'true'], ['row-R-7K3F9-2QXM1', 'false']]);
    assert.match(await id('row-R-4B8WD-H0C6Y').innerText(), /Helen Marsh/);
    await id('filter-mine').click();
    await id('row-R-7K3F9-2QXM1').waitFor({ state: 'detached' });
    await id('request-R-4B8WD-H0C6Y').click();
    assert.equal(await id('do-take').count(), 0);
    await id('request-word').fill('Paid out by hand');
    await id('do-settle').click();
    await page.waitForSelector('[data-testid=request-steps] li[data-kind=settled]');
    await id('do-give').selectOption('petar');
    await page.waitForSelector('[data-testid=request-steps] li[data-kind=given] >> text=Helen Marsh');
  }, { user: 'boss', prepare: (s) => void (s.board = boardData()) }),

  'after the call: what is known stands with its range, what is not with a dash': desk(async ({ page, id, server }) => {
    await page.getByRole('button', { name: 'After' }).click();
    assert.match(await id('all-solved').innerText(), /72%[^]*216 of 300[^]*67/);
    assert.match(await id('line-line_fault').innerText(), /line fault[^]*60%/);
    assert.match(await id('line-new_topic').innerText(), /new topic\s+3\s+–\s+–\s+–/);
    await id('by-agent').click();
    await id('line-priya').getByText('Priya Nair').waitFor();
    await id('span-91').click();
    await page.waitForFunction(() => document.querySelector('[data-testid=after]'));
    assert.deepEqual(server.afterAsked, [28, 91]);
    server.afterRefused = 'too_large';
    await id('span-14').click();
    await page.getByText('choose a shorter span').waitFor();
    assert.equal(await id('after').count(), 0, 'figures of another span stay');
  }, { user: 'boss', prepare: (s) => Object.assign(s, { board: boardData(), after: afterData() }) }),

  'interest: what rises stands first, divided by segment and region': desk(async ({ page, id, server }) => {
    await page.getByRole('button', { name: 'Interest' }).click();
    await id('interest').waitFor();
    const states = await page.locator('[data-testid=interest] tbody tr').evaluateAll((rows) => rows.map((r) => r.dataset.state));
    assert.deepEqual(states, ['rising', 'falling', 'unclear']);
    assert.match(await id('line-fibre').innerText(), /Fibre at home\s+Rising\s+since 16 Nov, was steady\s+\+14[^]*\+10% to \+19%/);
    assert.match(await id('line-contract_end').innerText(), /Falling\s+−8%/);
    assert.match(await id('line-sales').innerText(), /sales\s+queue\s+Too little to say\s+–\s+12/);
    await id('by-segment').click();
    assert.match(await id('line-fibre-').innerText(), /not known\s+Steady/);
    await id('only-segment').selectOption('gold');
    assert.equal(await page.locator('[data-testid=interest] tbody tr').count(), 1);
    await id('by-region').click();
    await id('line-fibre-north').waitFor();
    server.interest = { ...interestData(), lines: interestData().lines.filter((l) => l.by === 'service') };
    await id('weeks-13').click();
    await page.getByText('The routing document has no regions').waitFor();
    server.interest = { weeks: [], callers_forgotten: true, left_out: 0, lines: [] };
    await id('weeks-52').click();
    await page.getByText('No week is known whole yet').waitFor();
    await page.getByText('older than callers are kept').waitFor();
    assert.deepEqual(server.interestAsked, ['26', '13', '52']);
    server.interestRefused = true;
    await id('weeks-13').click();
    await page.getByText('cannot be read now').waitFor();
  }, { user: 'boss', prepare: (s) => Object.assign(s, { board: boardData(), interest: interestData() }) }),

  'a session that is over leads from the requests to the sign-in': desk(async ({ page, id, context }) => {
    await page.getByRole('button', { name: 'Requests' }).click();
    await id('requests').waitFor();
    await context.clearCookies();
    await id('filter-mine').click();
    await id('login').waitFor();
  }, { user: 'boss', prepare: (s) => void (s.board = boardData()) }),

  'messages stand between calls: who, since when, to be heard, called back and done with': desk(async ({ page, id, server }) => {
    await id('message-22').waitFor();
    assert.match(await id('messages').innerText(), /1 new/);
    assert.equal(await id('new-messages').innerText(), '1 new message');
    // The one that has waited longest comes first.
    assert.deepEqual(await page.locator('[data-testid=messages] li').evaluateAll((all) => all.map((x) => x.dataset.testid)), ['message-17', 'message-22']);
    assert.match(await id('message-22').innerText(), /Iris Coleman[^]*\+44 7700 900733/);
    assert.equal(await id('message-22').getByRole('link', { name: 'Call back' }).getAttribute('href'), 'tel:+447700900733');
    assert.equal(await id('message-17').getByRole('link').count(), 0);
    assert.equal(await page.locator('[data-testid=message-22] audio').getAttribute('src'), '/api/v1/messages/22/sound?seat=priya');
    await page.locator('[data-testid=message-22] audio').evaluate((a) => a.dispatchEvent(new Event('play')));
    await page.waitForSelector('[data-testid=message-22][data-state=heard]');
    await id('new-messages').waitFor({ state: 'detached' });
    await id('message-22').getByRole('button', { name: 'Done' }).click();
    await id('message-22').waitFor({ state: 'detached' });
    assert.deepEqual(server.messages.map((m) => [m.state, m.by]), [['done', 'priya'], ['heard', 'ivana']]);
  }),

  'a message that cannot be marked says so, and stays': desk(async ({ page, id, server }) => {
    server.messagesStuck = true;
    await id('message-22').getByRole('button', { name: 'Done' }).click();
    await page.waitForSelector('[data-testid=messages] [role=status] >> text=could not be noted');
    await id('message-22').waitFor();
    server.messagesStuck = false;
    await id('message-22').getByRole('button', { name: 'Done' }).click();
    await id('message-22').waitFor({ state: 'detached' });
    await page.waitForSelector('[data-testid=messages] [role=status]', { state: 'detached' });
    // Of one that somebody has removed meanwhile there is nothing to tell.
    server.messages = server.messages.filter((m) => m.call !== 17);
    await id('message-17').getByRole('button', { name: 'Done' }).click();
    await id('message-17').waitFor({ state: 'detached' });
    assert.equal(await page.locator('[data-testid=messages] [role=status]').count(), 0);
  }),

  'the board shows the worst queue first and why a call waits': desk(async ({ page, id, server }) => {
    assert.deepEqual(await page.locator('[data-testid=queues] tbody tr').evaluateAll((rows) => rows.map((r) => r.dataset.testid)), ['queue-faults', 'queue-billing', 'queue-sales']);
    await page.waitForSelector('[data-testid=why-waiting] >> text=lack fibre at 3 or more');
    assert.match(await id('agent-kim').innerText(), /No answer/);
    const cell = (queue, what) => page.locator(`[data-testid=queue-${queue}] [data-testid=${what}]`).innerText();
    assert.deepEqual([await cell('billing', 'level'), await cell('sales', 'level'), await cell('billing', 'expected'), await cell('sales', 'expected')], ['78%', '–', '1:15', '–']);
    assert.match(await id('formula').innerText(), /^abandons_ignored:/);
    server.pushBoard({ ...boardData(), calls: [] });
    await page.waitForSelector('[data-testid=calls]', { state: 'detached' });
  }, { user: 'boss', prepare: (s) => void (s.board = boardData()) }),
};

export function boardData() {
  const q = (name, title, o) => ({ name, title, waiting: 0, oldest_since: 0, talking: 0, staffed: 4, available: 1, answer_within_s: 60, open: true, offered: 20, answered: 18, abandoned: 1, answered_in_time: 15, decided: 19, ewt_s: 75, ewt_known: true, service_level: 77.8, ...o });
  const a = (agent, name, st, o = {}) => ({ agent, name, state: st, reason: '', since: us(-90_000), until: 0, desk: true, ...o });
  return {
    at: us(0),
    queues: [q('billing', 'Billing', { waiting: 1, oldest_since: us(-50_000), callbacks_waiting: 3, callbacks: 12, callbacks_done: 7, callbacks_failed: 2 }), q('faults', 'Fibre faults', { waiting: 2, oldest_since: us(-221_000), talking: 2 }), q('sales', 'Sales', { open: false, answered: 0, abandoned: 0, offered: 0, answered_in_time: 0, ewt_s: 0, ewt_known: false, service_level: null })],
    formula: 'abandons_ignored: answered in time / (decided - abandoned in time)', centre: { offered: 40, answered: 36, abandoned: 2, answered_in_time: 30, decided: 38, service_level: 88.4 },
    agents: [a('ivana', 'Ivana Petrova', 'available'), a('priya', 'Priya Nair', 'offered', { call: 4 }), a('petar', 'Petar Georgiev', 'talking', { call: 5 }), a('luis', 'Luis Osei', 'hold', { call: 6 }), a('sands', 'Rob Sands', 'wrap_up'), a('kim', 'Kim Dunmore', 'not_ready', { reason: 'rona', desk: false })],
    calls: [
      { call: 1, phase: 'waiting', queue: 'faults', since: us(-221_000), entered: us(-221_000), priority: 0, step: 2, blocked: [{ agent: 'ivana', code: 'lacks:fibre>=3' }, { agent: 'priya', code: 'lacks:fibre>=3' }, { agent: 'petar', code: 'busy' }, { agent: 'kim', code: 'away:rona' }] },
      { call: 2, phase: 'waiting', queue: 'faults', since: us(-30_000), entered: us(-30_000), priority: 0, step: 1, blocked: [] },
      { call: 4, phase: 'offered', queue: 'billing', agent: 'priya', since: us(-50_000), entered: us(-3000), priority: 0, step: 1 },
      { call: 5, phase: 'talking', queue: 'faults', agent: 'petar', since: us(-300_000), entered: us(-250_000), priority: 0, step: 1 },
    ],
  };
}

/** Two groups of customers who may be one. */
export const duplicateData = () => [
  { numbers: 2, customers: [
    { id: 'LW-204', name: 'Dana Whitcombe', segment: 'gold', language: 'en', customer_since: '2019-08-12', numbers: ['+447700900417', '+441632960118'], products: ['Fibre 500', 'Mobile L'], open_tickets: 1, contacts: 31, last_contact: (Date.now() - 86_400_000) * 1000, balance: { minor: -6420, currency: 'GBP' }, accounts: [] },
    { id: 'LW-931', name: 'WHITCOMBE, Dana', segment: 'standard', language: 'en', customer_since: '2023-02-01', numbers: ['+447700900417', '+441632960118', '+447700900499'], products: ['TV Family'], open_tickets: 0, contacts: 4, last_contact: (Date.now() - 40 * 86_400_000) * 1000, balance: { minor: 0, currency: 'GBP' }, accounts: [] },
  ] },
  { numbers: 1, customers: [
    { id: 'LW-310', name: 'Rhys Hale', segment: '', language: '', customer_since: '', numbers: ['+447700900488'], products: [], open_tickets: 0, contacts: 0, last_contact: 0, balance: null, accounts: [] },
    { id: 'LW-311', name: 'Hale Rhys', segment: '', language: '', customer_since: '', numbers: ['+447700900488'], products: ['Mobile S'], open_tickets: 0, contacts: 2, last_contact: 0, balance: null, accounts: ['LW-17'] },
    { id: 'LW-312', name: 'R. Hale', segment: '', language: '', customer_since: '', numbers: ['+447700900488'], products: [], open_tickets: 0, contacts: 1, last_contact: 0, balance: null, accounts: [] },
  ] },
];
