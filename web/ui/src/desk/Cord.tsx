// The way the call came, as jacks on one line.
import { duration } from '../format/intl';
import { formatNumber } from '../format/phone';
import { useDesk, useDeskState, useWords } from './context';
import { panel } from './panels';
import type { PathStep } from './protocol';
import type { LiveCard } from './store';
import { queueTitle, stepsOf, topicTitle, whyYou } from './words';

export function Cord({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const s = useDeskState();
  const desk = useDesk();
  const why = whyYou(c, { t, lang, now: desk.now() });
  const told = stepsOf(c);
  const steps = told.length > 0 ? told : [{ at: c.arrived, kind: 'dialled' as const, name: c.dialled }];
  const passed = steps.some((p) => p.kind === 'agent');
  const step = c.why?.step ?? 1;
  return (
    <ol className="cord" aria-label={t('cord.label')} data-testid="cord" {...(c.from ? {} : panel('path', (c.path?.length ?? 0) > 0 ? 'shown' : 'empty'))}>
      {steps.map((p, i) => (
        <li key={i} className={passed ? `k-${p.kind} passed` : `k-${p.kind}`}><span className={i === 0 ? 'jack in' : 'jack'} /><span title={stepText(p)}>{!passed && p.kind !== 'dialled' && p.kind !== 'agent' && <em>{t(`cord.${p.kind}`)} </em>}{stepText(p)}{p.kind === 'queue' && step > 1 && i === steps.length - 1 && t('cord.step', { n: step })}</span></li>
      ))}
      <li><span className={c.phase === 'wrap_up' ? 'jack' : 'jack in'} /><span>{t('cord.you')}{why && <span className="whyyou">{t('cord.why', { why })}</span>}</span></li>
    </ol>
  );

  function stepText(p: PathStep): string {
    const name = p.kind === 'dialled' ? formatNumber(p.name, c.dialled) : p.kind === 'queue' ? queueTitle(s, p.name, lang) : p.kind === 'topic' ? topicTitle(s, p.name, lang) : p.name;
    return passed && (p.kind === 'queue' || p.kind === 'agent') && p.seconds ? t('cord.with_time', { name, time: duration(p.seconds * 1000) }) : name;
  }
}
