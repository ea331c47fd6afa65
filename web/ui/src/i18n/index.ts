import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { getPrefs } from '../ui/prefs';
import { en } from './en';
import { ru } from './ru';

export const languages = { en: 'English', ru: 'Русский' } as const;

void i18next.use(initReactI18next).init({
  lng: getPrefs().lang,
  fallbackLng: 'en',
  resources: { en: { translation: en }, ru: { translation: ru } },
  keySeparator: false,
  nsSeparator: false,
  interpolation: { escapeValue: false }, // React escapes
  react: { useSuspense: false },
});

export { i18next };
