// A dialog over the page: the browser's own, which keeps the focus inside and closes
// with Esc.
import { useEffect, useId, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../ui/Icon';

export function Dialog({ title, testid, onClose, children }: { title: React.ReactNode; testid: string; onClose: () => void; children: React.ReactNode }) {
  const { t } = useTranslation();
  const ref = useRef<HTMLDialogElement>(null);
  const head = useId();
  useEffect(() => {
    const d = ref.current;
    d?.showModal();
    return () => d?.close();
  }, []);
  return (
    <dialog ref={ref} className="dialog" aria-labelledby={head} data-testid={testid} onCancel={(e) => { e.preventDefault(); onClose(); }} onKeyDown={(e) => e.stopPropagation()}>
      <header className="row"><h2 id={head}>{title}</h2><button type="button" className="btn btn-quiet btn-sm dialog-x" aria-label={t('requests.dismiss')} onClick={onClose}><Icon name="x" size="sm" /></button></header>
      {children}
    </dialog>
  );
}
