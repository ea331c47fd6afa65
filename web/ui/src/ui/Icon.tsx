import { type IconName, icons, type JackName, jacks } from './glyphs';

const html = (s: string) => ({ __html: s });

export function Icon({ name, size }: { name: IconName; size?: 'sm' | 'lg' }) {
  return <svg className={size ? `i i-${size}` : 'i'} viewBox="0 0 20 20" aria-hidden="true" dangerouslySetInnerHTML={html(icons[name])} />;
}

/** The mark of an agent's state: an empty jack is free, a filled one is plugged. */
export function Jack({ name }: { name: JackName }) {
  return <svg className={`jk jk-${name}`} viewBox="0 0 12 12" aria-hidden="true" dangerouslySetInnerHTML={html(jacks[name])} />;
}

/** Glyph and word, always both. */
export function Tag({ kind, icon, children, testid }: { kind: 'ok' | 'warn' | 'bad' | 'info' | 'line' | 'plain'; icon: IconName; children: React.ReactNode; testid?: string }) {
  return <span className={`tag tag-${kind}`} data-testid={testid}><Icon name={icon} />{children}</span>;
}

export function Logo() {
  return (
    <svg className="logo" width="34" height="34" viewBox="0 0 34 34" aria-hidden="true">
      <g fill="none" stroke="currentColor" strokeWidth="2.2"><circle cx="10" cy="10" r="5" /><circle cx="24" cy="10" r="5" /><circle cx="10" cy="24" r="5" /></g>
      <circle cx="24" cy="24" r="5" fill="none" stroke="var(--cord)" strokeWidth="2.2" />
      <path d="M10 10c0 9 4 14 14 14" fill="none" stroke="var(--cord)" strokeWidth="2.6" strokeLinecap="round" />
      <circle cx="10" cy="10" r="2.2" fill="var(--cord)" /><circle cx="24" cy="24" r="2.2" fill="var(--cord)" />
    </svg>
  );
}

export type LampKind = 'idle' | 'offered' | 'talking' | 'hold' | 'lost' | 'unknown' | 'wrap_up';

/** The lamp of the call bar: brass while the line is live. */
export function Lamp({ kind }: { kind: LampKind }) {
  return (
    <svg className="lamp" viewBox="0 0 56 56" aria-hidden="true">
      {kind === 'idle' && <circle cx="28" cy="28" r="19" fill="none" stroke="var(--bar-text-2)" strokeWidth="3" />}
      {kind === 'offered' && <>
        <circle className="halo" cx="28" cy="28" r="27" fill="var(--lamp)" opacity=".25" />
        <circle cx="28" cy="28" r="19" fill="var(--bar)" stroke="var(--lamp)" strokeWidth="3" />
        <circle cx="28" cy="28" r="10" fill="var(--lamp)" /><circle cx="28" cy="28" r="4" fill="var(--bar)" />
      </>}
      {kind === 'talking' && <><circle cx="28" cy="28" r="19" fill="var(--lamp)" /><circle cx="28" cy="28" r="24" fill="none" stroke="var(--lamp)" strokeWidth="2" /></>}
      {kind === 'hold' && <><circle cx="28" cy="28" r="19" fill="none" stroke="var(--lamp)" strokeWidth="3" /><path d="M23.5 20v16M32.5 20v16" stroke="var(--lamp)" strokeWidth="4" strokeLinecap="round" /></>}
      {kind === 'lost' && <>
        <circle cx="28" cy="28" r="19" fill="none" stroke="var(--lamp)" strokeWidth="3" /><circle cx="28" cy="28" r="10" fill="var(--lamp)" />
        <path d="M12 44L44 12" stroke="var(--bar)" strokeWidth="7" /><path d="M12 44L44 12" stroke="var(--bar-warn)" strokeWidth="3" />
      </>}
      {kind === 'unknown' && <>
        <circle cx="28" cy="28" r="19" fill="none" stroke="var(--lamp)" strokeWidth="3" strokeDasharray="5 4" />
        <circle cx="21" cy="28" r="3.2" fill="var(--lamp)" /><circle cx="28" cy="28" r="3.2" fill="var(--lamp)" /><circle cx="35" cy="28" r="3.2" fill="var(--lamp)" />
      </>}
      {kind === 'wrap_up' && <><circle cx="28" cy="28" r="19" fill="none" stroke="var(--bar-text-2)" strokeWidth="3" /><path d="M28 16a12 12 0 0 1 0 24z" fill="var(--bar-text-2)" /></>}
    </svg>
  );
}
