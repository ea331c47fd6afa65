import './styles/fonts.css';
import './styles/tokens.css';
import './styles/mantine.css';
import './styles/ui.css';
import './styles/desk.css';
import './styles/pages.css';
import './i18n';
import { createTheme, MantineProvider } from '@mantine/core';
import { createRoot } from 'react-dom/client';
import { App } from './app';

const theme = createTheme({ fontFamily: 'var(--font-sans)', fontFamilyMonospace: 'var(--font-mono)', defaultRadius: 6, cursorType: 'pointer', respectReducedMotion: true });

// Mantine's variables come from our own style sheet: the page allows no inline <style>.
createRoot(document.getElementById('root')!).render(
  <MantineProvider theme={theme} withCssVariables={false} withGlobalClasses={false} defaultColorScheme="auto"><App /></MantineProvider>,
);
