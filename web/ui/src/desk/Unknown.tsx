// Nobody is chosen for the agent: one of several people, a number on no
// account, a number withheld, or a look-up that did not come back. Nothing
// personal stands on the page before the choice.
import { useState } from 'react';
import { countryName, languageName } from '../format/intl';
import { formatNumber } from '../format/phone';
import { Icon } from '../ui/Icon';
import { Answers } from './Answers';
import { useDesk, useDeskState, useWords } from './context';
import { LinkForm, numberOf, Reasons } from './Linked';
import { agrees, letters } from './matcher';
import { Notes } from './Notes';
import { panel } from './panels';
import type { CustomerRecord } from './protocol';
import type { LiveCard } from './store';
import { useUi } from './ui';
import { MatchTag, networkSays } from './Who';
import { numberIs, queueTitle, topicTitle } from './words';

export function Unknown({ c }: { c: LiveCard }) {
  const several = c.match === 'several';
  return (
    <main className={several ? 'desk desk-unknown' : 'desk desk-unknown nobody'}>
      <div className="col col-l">{several ? <Chooser c={c} /> : <><NoMatch c={c} /><Answers c={c} /></>}</div>
      <div className="col col-side">
        <True c={c} />
        {several && <Answers c={c} />}
        <Notes c={c} grow />
      </div>
    </main>
  );
}

function Chooser({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const desk = useDesk();
  const ui = useUi();
  const [said, setSaid] = useState('');
  const [number, setNumber] = useState('');
  const people = c.candidates ?? [];
  const Tell = ({ of, heard }: { of: (r: CustomerRecord) => boolean | null; heard: string }) => (
    <tr className="tells"><th scope="row">{heard}</th>{people.map((r) => {
      const a = of(r);
      return <td key={r.id}>{a === null ? <span className="t3">{t('choose.unsaid')}</span> : <span className={a ? 'agree ok' : 'agree t2'}><Icon name={a ? 'check' : 'x'} />{t(a ? 'choose.agrees' : 'choose.differs')}</span>}</td>;
    })}</tr>
  );
  return (
    <section className="sheet" aria-labelledby="ch" {...panel('who', 'shown')} data-testid="chooser">
      <header className="sec row wrap ch-head"><h2 id="ch">{t('choose.title')}</h2><MatchTag c={c} /><span className="count">{t('choose.hint')}</span></header>
      <div className="sec form">
        <label>{t('choose.name')}<span className="field"><input value={said} autoComplete="off" data-testid="said-name" onChange={(e) => setSaid(e.currentTarget.value)} /></span></label>
        <label>{t('choose.number')}<span className="field"><input value={number} autoComplete="off" onChange={(e) => setNumber(e.currentTarget.value)} /></span></label>
      </div>
      <div className="cmp-box scroll" tabIndex={0} role="region" aria-label={t('choose.table')}>
        <table className="cmp">
          <thead><tr><td className="corner" />{people.map((r, i) => <th key={r.id} scope="col"><div className="row"><span className="letter">{letters[i]}</span><p className="pname">{t('choose.person', { letter: letters[i] })}</p></div></th>)}</tr></thead>
          <tbody>
            <Row k={t('choose.kind')} of={(r) => r.segment ?? ''} people={people} none={t('choose.not_known')} />
            <Row k={t('choose.knows')} of={(r) => t('choose.products', { count: (r.products ?? []).length })} people={people} none="" />
            <Row k={t('choose.speaks')} of={(r) => languageName(r.language, lang)} people={people} none={t('choose.not_known')} />
            <Row k={t('choose.label')} of={(r) => labelOf(r, c, t)} people={people} none={t('choose.not_known')} />
            <tr><th scope="row">{t('choose.why')}</th>{people.map((r) => <td key={r.id}><Reasons c={c} r={r} of={c.shared ?? people.length} /></td>)}</tr>
            <Tell heard={said ? t('choose.heard_name', { said }) : t('choose.name_row')} of={(r) => agrees.name(r, said)} />
            <Tell heard={number ? t('choose.heard_number', { said: number }) : t('choose.number_row')} of={(r) => agrees.id(r, number)} />
          </tbody>
          <tfoot><tr><td className="corner" />{people.map((r, i) => (
            <td key={r.id}><button type="button" className="btn" data-testid={`choose-${letters[i]}`} onClick={() => void ui.run(desk.choose(c, r.id))}>{t('choose.open', { letter: letters[i] })} {i < 3 && <kbd>F2 {i + 1}</kbd>}</button></td>
          ))}</tr></tfoot>
        </table>
      </div>
      <p className="sec xs t2 ch-foot">{t('choose.foot')}</p>
    </section>
  );
}

function labelOf(r: CustomerRecord, c: LiveCard, t: ReturnType<typeof useWords>['t']): string {
  const label = numberOf(c, r)?.label;
  return label && ['mobile', 'home', 'work'].includes(label) ? t(`label.${label}`) : label ?? '';
}

function Row({ k, of, people, none }: { k: string; of: (r: CustomerRecord) => string; people: CustomerRecord[]; none: string }) {
  return <tr><th scope="row">{k}</th>{people.map((r) => <td key={r.id}>{of(r) || <span className="t3">{none}</span>}</td>)}</tr>;
}

function NoMatch({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const kind = c.match === 'pending' || c.match === 'failed' ? c.match : { shown: 'none', withheld: 'withheld_none', absent: 'withheld' }[numberIs(c.caller)];
  return (
    <section className="sheet" {...panel('who', c.match === 'pending' ? 'late' : c.match === 'failed' ? 'failed' : 'empty')} data-testid="no-match">
      <header className="sec row wrap ch-head"><h2>{t('choose.title')}</h2><MatchTag c={c} /></header>
      <div className="sec say"><p className="md">{t(`unknown.${kind}`)}</p><p className="t2">{t(`unknown.${kind}_do`)}</p></div>
      <LinkForm c={c} />
    </section>
  );
}

/** What holds whoever it is. */
function True({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const s = useDeskState();
  return (
    <section className="sheet sec">
      <header><h2>{t('true.title')}</h2></header>
      <dl className="facts">
        {c.caller.number && <><dt>{t('true.number')}</dt><dd className="num">{formatNumber(c.caller.number, c.dialled)}{c.caller.country && <span className="t3"> {countryName(c.caller.country, lang)}</span>}</dd></>}
        <dt>{t('who.network')}</dt><dd>{t(networkSays(c))}</dd>
        {c.caller.display && <><dt>{t('true.display')}</dt><dd>{c.caller.display}</dd></>}
        <dt>{t('true.dialled')}</dt><dd className="num">{formatNumber(c.dialled, c.dialled)}</dd>
        {c.queue && <><dt>{t('true.queue')}</dt><dd>{queueTitle(s, c.queue, lang)}</dd></>}
        {c.topic && <><dt>{t('true.topic')}</dt><dd>{topicTitle(s, c.topic, lang)}</dd></>}
      </dl>
    </section>
  );
}
