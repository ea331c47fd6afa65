// Opening a request: what type, what about.
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { openRequest, type RequestType, type TrackedRequest } from '../api/http';
import { Icon } from '../ui/Icon';
import { Dialog } from './Dialog';
import { typeTitle } from './list';

export function OpenRequest({ types, customer, call, who, onClose, onOpened }: { types: RequestType[]; customer?: string; call?: number; who: string; onClose: () => void; onOpened: (r: TrackedRequest) => void }) {
  const { t, i18n } = useTranslation();
  const [type, setType] = useState(types[0]?.type ?? '');
  const [title, setTitle] = useState('');
  const [detail, setDetail] = useState('');
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const send = async (e: React.FormEvent) => {
    e.preventDefault();
    if (busy || title.trim() === '') return;
    setBusy(true);
    try {
      onOpened(await openRequest({ type, title: title.trim(), detail: detail.trim(), customer, call }));
    } catch {
      setFailed(true);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t('requests.open_title')} testid="open-request" onClose={onClose}>
      <form className="req-form" onSubmit={(e) => void send(e)}>
        <p className="t2">{t('requests.of', { name: who })}</p>
        <label>{t('requests.type')}<select className="field" value={type} onChange={(e) => setType(e.currentTarget.value)} data-testid="request-type">
          {types.map((x) => <option key={x.type} value={x.type}>{typeTitle(x.title, i18n.language, x.type)}</option>)}
        </select></label>
        <label>{t('requests.about')}<input className="field" autoFocus maxLength={100} required value={title} onChange={(e) => setTitle(e.currentTarget.value)} data-testid="request-title" /></label>
        <label>{t('requests.more')}<textarea className="note" rows={4} maxLength={900} value={detail} onChange={(e) => setDetail(e.currentTarget.value)} data-testid="request-detail" /></label>
        {failed && <p className="bad row" role="alert"><Icon name="alert" size="sm" />{t('requests.not_opened')}</p>}
        <div className="row req-do"><button type="button" className="btn" onClick={onClose}>{t('requests.dismiss')}</button><button type="submit" className="btn btn-act" aria-disabled={busy || title.trim() === '' || undefined} data-testid="request-open">{t('requests.open_do')}</button></div>
      </form>
    </Dialog>
  );
}
