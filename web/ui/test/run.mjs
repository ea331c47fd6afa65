// Runs the browser tests on the built page. Arguments pick tests whose name
// holds one of them; with PICTURES=FOLDER every state leaves its picture there.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { behaviour, boardData, duplicateData } from './behaviour.mjs';
import { afterData, gapsData, interestData, searchData } from './fixtures.mjs';
import { accessible, fits, launch, quit, withPage } from './harness.mjs';
import { scenes } from './scenes.mjs';

const pictures = process.env.PICTURES;
const picture = (page, name) => (pictures ? page.screenshot({ path: join(pictures, name + '.png') }) : undefined);
if (!existsSync(new URL('../dist/index.html', import.meta.url))) {
  console.error('no built page in dist/: run "npm run build" first');
  process.exit(2);
}
if (pictures) mkdirSync(pictures, { recursive: true });

const sizes = [{ width: 1440, height: 900 }, { width: 1280, height: 720 }, { width: 1152, height: 720 }, { width: 960, height: 900 }];
const tests = Object.entries(behaviour).map(([name, run]) => [`does: ${name}`, run]);

/** Every state in two of the four sizes, one of each theme and language; its neighbour has the other two. With PICTURES in all four, so that all meetings of them are seen. */
const looks = [['light', 'en'], ['dark', 'ru'], ['dark', 'en'], ['light', 'ru']];
for (const [n, [name, bring]] of Object.entries(scenes).entries()) {
  looks.forEach(([scheme, lang], i) => {
    if (!pictures && i >> 1 !== n % 2) return;
    const viewport = sizes[i];
    tests.push([`looks: ${name} ${viewport.width} ${scheme} ${lang}`, () => withPage({ viewport, scheme, lang }, async (x) => {
      await bring({ ...x, lang });
      await x.page.evaluate(() => document.fonts.ready);
      await picture(x.page, `${name}-${viewport.width}-${scheme}-${lang}`);
      await fits(x.page);
      // 1152 differs from 1280 in measures only, which axe does not look at.
      if (viewport.width !== 1152) await accessible(x.page);
    })]);
  });
}
for (const density of ['14', '16']) {
  for (const name of ['offered', 'talking', 'received', 'wrap_up', 'transfer']) {
    tests.push([`looks: ${name} density ${density}`, () => withPage({ density, lang: 'ru' }, async (x) => {
      await scenes[name]({ ...x, lang: 'ru' });
      await picture(x.page, `${name}-density${density}`);
      await fits(x.page);
    })]);
  }
}
looks.forEach(([scheme, lang], i) => {
  tests.push([`looks: board ${sizes[i].width} ${scheme} ${lang}`, () => withPage({ viewport: sizes[i], scheme, lang, user: 'boss', prepare: (s) => void (s.board = boardData()) }, async ({ page }) => {
    await picture(page, `board-${sizes[i].width}-${scheme}-${lang}`);
    await fits(page);
    await accessible(page);
  })]);
  tests.push([`looks: duplicates ${sizes[i].width} ${scheme} ${lang}`, () => withPage({ viewport: sizes[i], scheme, lang, user: 'boss', prepare: (s) => {
    Object.assign(s, { board: boardData(), duplicates: duplicateData() });
    s.merges = [{ merge: 4, whole: 'LW-118', whole_name: 'Юлия Озерова', other: 'LW-640', other_name: 'Озерова Ю.', by: 'Sue Marsh', at: (Date.now() - 7_200_000) * 1000 }];
  } }, async ({ page, server }) => {
    await page.goto(server.url + '/duplicates');
    await page.waitForSelector('[data-testid=duplicates]');
    await picture(page, `duplicates-${sizes[i].width}-${scheme}-${lang}`);
    await fits(page);
    await accessible(page);
  })]);
  tests.push([`looks: requests ${sizes[i].width} ${scheme} ${lang}`, () => withPage({ viewport: sizes[i], scheme, lang, user: 'boss', prepare: (s) => void (s.board = boardData()) }, async ({ page, id }) => {
    await page.getByRole('button', { name: /^(Requests|Заявки)$/ }).click();
    await id('requests').waitFor();
    await fits(page);
    await accessible(page);
    await id('request-R-4B8WD-H0C6Y').click();
    await id('request-steps').waitFor();
    await picture(page, `requests-${sizes[i].width}-${scheme}-${lang}`);
    await accessible(page);
  })]);
  tests.push([`looks: after the call ${sizes[i].width} ${scheme} ${lang}`, () => withPage({ viewport: sizes[i], scheme, lang, user: 'boss', prepare: (s) => Object.assign(s, { board: boardData(), after: afterData() }) }, async ({ page, id }) => {
    await page.getByRole('button', { name: /^(After|Итоги)$/ }).click();
    await id('after').waitFor();
    await picture(page, `after-${sizes[i].width}-${scheme}-${lang}`);
    await fits(page);
    await accessible(page);
  })]);
  tests.push([`looks: answers ${sizes[i].width} ${scheme} ${lang}`, () => withPage({ viewport: sizes[i], scheme, lang, user: 'boss', prepare: (s) => Object.assign(s, { board: boardData(), gaps: gapsData() }) }, async ({ page, id }) => {
    await page.getByRole('button', { name: /^(Answers|Ответы)$/ }).click();
    await id('gap-roaming').waitFor();
    await id('due-bill-ru').waitFor();
    await picture(page, `answers-${sizes[i].width}-${scheme}-${lang}`);
    await fits(page);
    await accessible(page);
  })]);
  tests.push([`looks: interest ${sizes[i].width} ${scheme} ${lang}`, () => withPage({ viewport: sizes[i], scheme, lang, user: 'boss', prepare: (s) => Object.assign(s, { board: boardData(), interest: interestData() }) }, async ({ page, id }) => {
    await page.getByRole('button', { name: /^(Interest|Интерес)$/ }).click();
    await id('interest').waitFor();
    await picture(page, `interest-${sizes[i].width}-${scheme}-${lang}`);
    await id('by-segment_region').click();
    await fits(page);
    await accessible(page);
  })]);
  tests.push([`looks: search ${sizes[i].width} ${scheme} ${lang}`, () => withPage({ viewport: sizes[i], scheme, lang, user: 'boss', prepare: (s) => { s.board = boardData(); s.pages[''] = { ...searchData(), next: 'p2', waiting: 3 }; } }, async ({ page, id }) => {
    await page.getByRole('button', { name: /^(Search|Поиск)$/ }).click();
    await id('search-all').fill('router');
    await page.keyboard.press('Enter');
    await id('hit').first().waitFor();
    await fits(page);
    await accessible(page);
    await picture(page, `search-${sizes[i].width}-${scheme}-${lang}`);
  })]);
  tests.push([`looks: login ${scheme} ${lang}`, () => withPage({ scheme, lang, open: false }, async ({ page, server }) => {
    await page.goto(server.url + '/login');
    await page.waitForSelector('[data-testid=login]');
    await picture(page, `login-${scheme}-${lang}`);
    await fits(page);
    await accessible(page);
  })]);
});

const wanted = process.argv.slice(2);
const chosen = tests.filter(([name]) => wanted.length === 0 || wanted.some((w) => name.includes(w)));
const limitMs = 60_000;

const workers = 3;

async function one([name, run]) {
  const started = Date.now();
  let timer;
  try {
    await Promise.race([run(), new Promise((_, no) => (timer = setTimeout(() => no(new Error(`not done in ${limitMs} ms`)), limitMs)))]);
    console.log(`ok    ${name} (${Date.now() - started} ms)`);
  } catch (err) {
    failed.push(name);
    console.log(`FAIL  ${name}\n      ${String(err.stack ?? err).split('\n').slice(0, 14).join('\n      ')}`);
  } finally {
    clearTimeout(timer);
  }
}

await launch();
const failed = [];
const queue = [...chosen];
await Promise.all(Array.from({ length: workers }, async () => {
  for (let t = queue.shift(); t; t = queue.shift()) await one(t);
}));
await quit();
console.log(`${chosen.length - failed.length} of ${chosen.length} browser tests passed`);
process.exit(failed.length > 0 || chosen.length === 0 ? 1 : 0);
