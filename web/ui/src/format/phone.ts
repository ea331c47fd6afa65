// Telephone numbers for people: the national form for numbers of the centre's
// own country, the international one for all others.

/** National grouping by country calling code: pattern of the national significant number, and its form. */
const national: Record<string, [RegExp, string][]> = {
  '44': [
    [/^(7\d{3})(\d{6})$/, '0$1 $2'],
    [/^(2\d)(\d{4})(\d{4})$/, '0$1 $2 $3'],
    [/^(1632|1\d{3})(\d{6})$/, '0$1 $2'],
    [/^(80\d|3\d{2}|84\d|87\d|90\d)(\d{3})(\d{4})$/, '0$1 $2 $3'],
  ],
  '7': [[/^(\d{3})(\d{3})(\d{2})(\d{2})$/, '8 ($1) $2-$3-$4']],
  '1': [[/^(\d{3})(\d{3})(\d{4})$/, '($1) $2-$3']],
  '359': [[/^([89]\d{2}|0\d{2})(\d{3})(\d{3})$/, '0$1 $2 $3'], [/^(2)(\d{3})(\d{4})$/, '0$1 $2 $3']],
  '49': [[/^(1\d{2})(\d{4,9})$/, '0$1 $2'], [/^(\d{2,4})(\d{5,8})$/, '0$1 $2']],
};

const twoDigit = new Set('20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98'.split(' '));

/** Country calling code of an E.164 number, without the plus; "" when it is not one. */
export function callingCode(e164: string): string {
  const d = e164.replace(/^\+/, '');
  if (!/^\d{5,15}$/.test(d) || !e164.startsWith('+')) return '';
  if (d[0] === '1' || d[0] === '7') return d[0];
  return twoDigit.has(d.slice(0, 2)) ? d.slice(0, 2) : d.slice(0, 3);
}

function groups(digits: string): string {
  const parts: string[] = [];
  let rest = digits;
  while (rest.length > 4) {
    parts.push(rest.slice(0, 3));
    rest = rest.slice(3);
  }
  parts.push(rest);
  return parts.join(' ');
}

/** The number as people of the centre's country write it; `home` is any number of the centre. */
export function formatNumber(e164: string, home: string): string {
  const cc = callingCode(e164);
  if (!cc) return e164;
  const nsn = e164.slice(1 + cc.length);
  const forms = national[cc] ?? [];
  if (cc === callingCode(home)) {
    for (const [re, form] of forms) if (re.test(nsn)) return nsn.replace(re, form);
    return '0' + groups(nsn);
  }
  for (const [re, form] of forms) {
    if (re.test(nsn)) return `+${cc} ` + nsn.replace(re, form.replace(/^[08] ?/, '')).replace(/^\((\d+)\)/, '$1');
  }
  return `+${cc} ${groups(nsn)}`;
}
