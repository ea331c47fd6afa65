// The rail: where one is, and oneself.
import { Menu } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { initials } from '../desk/states';
import { Icon, Logo } from './Icon';
import type { IconName } from './glyphs';
import { setPrefs, usePrefs } from './prefs';

/** Another page that one may go to. */
export interface Place { name: string; icon: IconName; go: () => void }

export function Rail({ page, icon, places, name, ring, onKeys, onSignOut }: { page: string; icon: IconName; places?: Place[]; name: string; ring: string; onKeys?: () => void; onSignOut: () => void }) {
  const { t } = useTranslation();
  const p = usePrefs();
  return (
    <nav className="rail" aria-label={t('rail.label')}>
      <Logo />
      <span className="here" aria-current="page"><Icon name={icon} /><span>{page}</span></span>
      {places?.map((x) => <button key={x.name} type="button" className="rail-btn" onClick={x.go}><Icon name={x.icon} /><span>{x.name}</span></button>)}
      <div className="end">
        {onKeys && <button type="button" className="rail-btn" onClick={onKeys} aria-label={t('rail.keys')}><Icon name="keys" /><span>{t('rail.keys')}</span></button>}
        <Menu position="right-end" shadow="md" withinPortal={false} returnFocus>
          <Menu.Target><button type="button" className="me" style={{ borderColor: ring }} aria-label={t('rail.me', { name })} data-testid="me">{initials(name)}</button></Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{name}</Menu.Label>
            {(['auto', 'light', 'dark'] as const).map((x) => <Menu.Item key={x} data-testid={`theme-${x}`} leftSection={<Mark on={p.theme === x} />} onClick={() => setPrefs({ theme: x })}>{t(`theme.${x}`)}</Menu.Item>)}
            <Menu.Divider />
            {(['13', '14', '16'] as const).map((x) => <Menu.Item key={x} data-testid={`density-${x}`} leftSection={<Mark on={p.density === x} />} onClick={() => setPrefs({ density: x })}>{t(`density.${x}`)}</Menu.Item>)}
            <Menu.Divider />
            {onKeys && <Menu.Item leftSection={<Mark on={p.sound} />} onClick={() => setPrefs({ sound: !p.sound })}>{t('sound.offers')}</Menu.Item>}
            <Menu.Item data-testid="sign-out" onClick={onSignOut}>{t('rail.sign_out')}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
    </nav>
  );
}

const Mark = ({ on }: { on: boolean }) => <span className="mark">{on && <Icon name="check" size="sm" />}</span>;
