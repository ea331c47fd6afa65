import { describe, expect, it } from 'vitest';
import css from './tokens.css?raw';

function block(after: string): Record<string, string> {
  const start = css.indexOf('{', css.indexOf(after)) + 1;
  const text = css.slice(start, css.indexOf('}', start));
  return Object.fromEntries([...text.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})\b/gi)].map((m) => [m[1]!, m[2]!]));
}

const themes = { light: block(':root, [data-theme="light"]'), dark: block('[data-theme="dark"] {') };

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p) as [number, number];
  return (x + 0.05) / (y + 0.05);
}

const grounds = ['page', 'sheet', 'sunken', 'hover', 'selected'];
const text: [string, string][] = [
  ...['text', 'text-2', 'text-3', 'act-fg', 'ok-fg', 'warn-fg', 'bad-fg', 'info-fg'].flatMap((t) => grounds.map((g): [string, string] => [t, g])),
  ...['ok', 'warn', 'bad', 'info', 'idle'].map((k): [string, string] => [`${k}-fg`, `${k}-bg`]),
  ...['bar-text', 'bar-text-2', 'lamp', 'bar-warn', 'decline'].flatMap((t) => ['bar', 'bar-2'].map((g): [string, string] => [t, g])),
  ['on-act', 'act'], ['on-answer', 'answer'], ['act-fg', 'act-soft'],
];
const marks: [string, string][] = ['edge', 'focus', 'ok-mark', 'warn-mark', 'bad-mark', 'info-mark', 'st-ready', 'st-offer', 'st-talk', 'st-hold', 'st-wrap', 'st-away', 'st-rona', 'cord'].map((m) => [m, 'sheet']);

describe.each(Object.entries(themes))('contrast, %s', (_, theme) => {
  it.each(text)('%s on %s reads: 4.5:1', (a, b) => expect(contrast(theme[a]!, theme[b]!)).toBeGreaterThanOrEqual(4.5));
  it.each(marks)('%s on %s shows: 3:1', (a, b) => expect(contrast(theme[a]!, theme[b]!)).toBeGreaterThanOrEqual(3));
});

it('has the same dark values by hand and by the system', () => expect(block(':root:not([data-theme="light"])')).toEqual(themes.dark));
