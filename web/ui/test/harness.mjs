// One chromium for all browser tests; each test gets its own server and page.
import AxeBuilder from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import { FakeServer } from './fakeserver.mjs';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
let browser;

export async function launch() {
  browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu', '--mute-audio', '--disable-dev-shm-usage'] });
}
export const quit = () => browser.close();

/** Opens a signed-in desk (or board) and runs the test on it; a page error fails the test. */
export async function withPage(options, test) {
  const server = await new FakeServer().start();
  options.prepare?.(server);
  const context = await browser.newContext({
    viewport: options.viewport ?? { width: 1440, height: 900 }, colorScheme: options.scheme ?? 'light', locale: options.lang === 'ru' ? 'ru-RU' : 'en-GB',
    reducedMotion: 'reduce', timezoneId: 'Europe/London',
  });
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (e) => errors.push(e.stack ?? String(e)));
  page.on('console', (m) => m.type() === 'error' && !/Failed to load resource|WebSocket|EventSource|ERR_/.test(m.text()) && errors.push(m.text()));
  if (options.density) await page.addInitScript((d) => localStorage.setItem('cordboard.prefs', JSON.stringify({ density: d })), options.density);
  try {
    if (options.open !== false) {
      await page.goto(`${server.url}/in#${options.user ?? 'priya'}-link`);
      await page.waitForSelector(options.user === 'boss' ? '[data-testid=board][data-link=live]' : '[data-testid=desk][data-link=online]');
    }
    await test({ page, server, context, id: (name) => page.locator(`[data-testid="${name}"]`) });
    if (errors.length > 0) throw new Error('the page complained:\n' + errors.join('\n'));
  } finally {
    await context.close();
    await server.stop();
  }
}

/** No axe violation of WCAG 2.2 A and AA, nor of its best practices for names and landmarks. */
export async function accessible(page) {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  if (violations.length > 0) {
    throw new Error('axe: ' + violations.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.slice(0, 4).map((n) => n.target.join(' ') + '  ' + (n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? '')).join('\n  ')}`).join('\n'));
  }
}

/**
 * Nothing runs out of the page: the page does not scroll, the bar keeps its
 * acts whole, no button cuts its words and none is under 24 px.
 */
export async function fits(page) {
  const bad = await page.evaluate(() => {
    const out = [];
    const root = document.scrollingElement;
    if (root.scrollWidth > innerWidth + 1) out.push(`page is ${root.scrollWidth} wide in ${innerWidth}`);
    const desk = document.querySelector('.shell-desk');
    if (desk && root.scrollHeight > innerHeight + 1) out.push(`page is ${root.scrollHeight} high in ${innerHeight}`);
    const seen = (el) => el.getClientRects().length > 0 && getComputedStyle(el).visibility !== 'hidden';
    for (const el of document.querySelectorAll('.bar button, .bar .phone-rings, .bar .who, .bar .clock')) {
      if (!seen(el)) continue;
      const r = el.getBoundingClientRect(), bar = el.closest('.bar').getBoundingClientRect();
      if (el.closest('.mantine-Menu-dropdown')) continue;
      if (r.left < bar.left - 1 || r.right > bar.right + 1 || r.top < bar.top - 1 || r.bottom > bar.bottom + 1) out.push(`out of the bar: ${el.className} ${Math.round(r.left)}-${Math.round(r.right)} of ${Math.round(bar.right)}, ${Math.round(r.top)}-${Math.round(r.bottom)} of ${Math.round(bar.bottom)}`);
    }
    const parts = [...document.querySelectorAll('.bar > *')].filter(seen).map((el) => [el, el.getBoundingClientRect()]);
    for (const [a, x] of parts) for (const [b, y] of parts) {
      if (a === b || a.compareDocumentPosition(b) & 2) continue;
      const w = Math.min(x.right, y.right) - Math.max(x.left, y.left), h = Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top);
      if (w > 2 && h > 2) out.push(`in the bar ${a.className.baseVal ?? a.className} lies over ${b.className.baseVal ?? b.className}`);
    }
    for (const el of document.querySelectorAll('button, input, textarea')) {
      if (!seen(el) || el.closest('.vh')) continue;
      const r = el.getBoundingClientRect();
      if (Math.min(r.width, r.height) < 24 && el.tagName !== 'INPUT') out.push(`under 24 px: ${el.textContent.slice(0, 30)} ${Math.round(r.width)}x${Math.round(r.height)}`);
      if (el.tagName === 'BUTTON' && el.scrollWidth > el.clientWidth + 1) out.push(`cut: ${el.textContent.slice(0, 40)}`);
    }
    for (const el of document.querySelectorAll('.tag, .sec h2, .seg, .field, .sec > header > *')) {
      if (!seen(el)) continue;
      const r = el.getBoundingClientRect();
      const box = el.closest('.sheet')?.getBoundingClientRect();
      if (box && (r.right > box.right + 1 || r.left < box.left - 1)) out.push(`out of its sheet: ${el.className} ${el.textContent.slice(0, 40)}`);
    }
    return out;
  });
  if (bad.length > 0) throw new Error('does not fit:\n  ' + bad.join('\n  '));
}
