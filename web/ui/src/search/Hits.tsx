// What was found, and the field that it is asked for in.
import { useTranslation } from 'react-i18next';
import type { SearchHit } from '../api/http';
import { toMs } from '../desk/protocol';
import { nearDate } from '../format/intl';
import { channelIcon } from '../ui/channels';
import { Icon } from '../ui/Icon';
import type { Searching } from './search';

export function SearchField({ id, label, value, onChange, onSearch, onEnd }: { id: string; label: string; value: string; onChange: (v: string) => void; onSearch: () => void; onEnd: () => void }) {
  const { t } = useTranslation();
  return (
    <form className="search-field" role="search" onSubmit={(e) => { e.preventDefault(); onSearch(); }}>
      <span className="field grow"><Icon name="search" size="sm" /><input
        id={id} type="search" value={value} maxLength={200} aria-label={label} placeholder={`${label}: ${t('search.words')}`} data-testid={id}
        onChange={(e) => (e.currentTarget.value ? onChange(e.currentTarget.value) : onEnd())}
        onKeyDown={(e) => { if (e.key === 'Escape' && value) { e.stopPropagation(); e.preventDefault(); onEnd(); } }}
      /></span>
      {value && <button type="submit" className="btn btn-sm">{t('search.start')}</button>}
    </form>
  );
}

export function Hits({ s, whose }: { s: Searching; whose?: boolean }) {
  const { t } = useTranslation();
  return (
    <div data-testid="hits" aria-busy={s.busy}>
      <p className="vh" role="status">{!s.busy && !s.refusal && (s.hits.length === 0 ? t(s.next ? 'search.none_yet' : 'search.none') : '')}</p>
      {s.refusal && <p className="warn row pad" role="alert"><Icon name="alert" size="sm" />{t(`search.refused_${s.refusal}`)}</p>}
      {s.waiting > 0 && <p className="t2 row pad" data-testid="search-waiting"><Icon name="clock" size="sm" />{t('search.waiting', { count: s.waiting })}</p>}
      {s.hits.length === 0 && !s.busy && !s.refusal && <p className="absent t3 pad">{t(s.next ? 'search.none_yet' : 'search.none')}</p>}
      {s.hits.length > 0 && <ol className="tl hits">{s.hits.map((h) => <Hit key={h.customer + ' ' + h.id} h={h} whose={whose} />)}</ol>}
      {s.next && <p className="pad"><button type="button" className="btn btn-sm" disabled={s.busy} onClick={s.more} data-testid="search-more">{t(s.hits.length ? 'search.more' : 'search.further')}</button></p>}
    </div>
  );
}

function Hit({ h, whose }: { h: SearchHit; whose?: boolean }) {
  const { t, i18n } = useTranslation();
  const known = channelIcon[h.channel];
  return (
    <li data-testid="hit">
      <time dateTime={h.at}>{nearDate(toMs(h.at), Date.now(), i18n.language)}</time>
      <span className="ch"><Icon name={known ?? 'note'} /></span>
      <div className="what">
        <b>{known ? t(`channel.${h.channel}`) : h.channel}</b> <Marked parts={h.title} />
        {h.text.length > 0 && <p><Marked parts={h.text} /></p>}
        {(h.agent?.name || h.source) && <p className="t3">{[h.agent?.name, h.source && t('timeline.source', { source: h.source })].filter(Boolean).join(' · ')}</p>}
      </div>
      {whose ? <span className="whose">{h.customer ? <><b>{h.name || h.customer}</b><span className="t3 num">{h.customer}</span></> : <span className="t3">{t('search.nobody')}</span>}</span> : <span />}
    </li>
  );
}

/** What was found is at the odd places. */
const Marked = ({ parts }: { parts: string[] }) => <>{parts.map((p, i) => (i % 2 ? <mark key={i}>{p}</mark> : p))}</>;
