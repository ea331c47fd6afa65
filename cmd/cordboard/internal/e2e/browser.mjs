// Drives headless Chromium for the end-to-end tests: one JSON command a line on
// standard input, one JSON answer a line on standard output. Each "page" is a
// desktop of its own (its own cookies). The times at which a page sent a frame
// over its socket are taken here, outside the page's own code.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [modules, executablePath] = process.argv.slice(2);
const { chromium } = createRequire(modules + '/')('playwright-core');
const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const pages = new Map();
const patience = 60_000; // for what must come, on a slow machine too

const commands = {
  async open({ page, url, lang = 'en-GB', scheme = 'light', width = 1440, height = 900 }) {
    const context = await browser.newContext({ locale: lang, colorScheme: scheme, viewport: { width, height } });
    const p = await context.newPage();
    const seen = { sent: [], errors: [], console: [] };
    await p.exposeFunction('__sent', (text, at) => {
      const m = JSON.parse(text);
      seen.sent.push({ t: m.t, d: m.t === 'hello' ? {} : m.d, at });
    });
    // The time is taken in the page, at the instant the frame is handed to the socket.
    await p.addInitScript(() => {
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (text) {
        const at = performance.timeOrigin + performance.now();
        send.call(this, text);
        window.__sent(text, at);
      };
    });
    p.on('pageerror', (e) => seen.errors.push(String(e)));
    p.on('console', (m) => { if (m.type() === 'error') seen.console.push(m.text()); });
    pages.set(page, { p, seen, context });
    await p.goto(url);
  },
  async fill({ page, selector, text }) { await pages.get(page).p.fill(selector, text, { timeout: patience }); },
  async type({ page, text }) { await pages.get(page).p.keyboard.type(text); },
  async click({ page, selector }) { await pages.get(page).p.click(selector, { timeout: patience }); },
  async press({ page, key }) { await pages.get(page).p.keyboard.press(key); },
  async wait({ page, selector, state = 'visible', timeout = patience }) {
    await pages.get(page).p.waitForSelector(selector, { state, timeout });
  },
  async waitText({ page, text, timeout = patience }) {
    await pages.get(page).p.waitForFunction((t) => document.body.innerText.includes(t), text, { timeout });
  },
  async text({ page, selector = 'body' }) { return pages.get(page).p.innerText(selector); },
  async count({ page, selector }) { return pages.get(page).p.locator(selector).count(); },
  async screenshot({ page, path }) { await pages.get(page).p.screenshot({ path }); },
  async offline({ page, on }) { await pages.get(page).context.setOffline(on); },
  async sent({ page }) { return pages.get(page).seen.sent; },
  async errors({ page }) { const s = pages.get(page).seen; return [...s.errors, ...s.console]; },
  async close({ page }) { await pages.get(page).context.close(); pages.delete(page); },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, cmd, ...args } = JSON.parse(line);
  try {
    const value = await commands[cmd](args);
    process.stdout.write(JSON.stringify({ id, ok: true, value: value ?? null }) + '\n');
  } catch (e) {
    process.stdout.write(JSON.stringify({ id, ok: false, error: String(e) }) + '\n');
  }
}
await browser.close();
