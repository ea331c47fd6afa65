// Runs before the first paint, so that a theme chosen by hand never flashes in
// the other one. A file of its own because the page allows no inline script.
(function () {
  try {
    var p = JSON.parse(localStorage.getItem('cordboard.prefs') || '{}');
    var e = document.documentElement;
    if (p.theme === 'dark' || p.theme === 'light') e.dataset.theme = p.theme;
    if (p.density === '14' || p.density === '16') e.dataset.density = p.density;
    if (p.lang === 'ru' || p.lang === 'en') e.lang = p.lang;
  } catch (err) {
    // No storage: the system's theme and the default density stand.
  }
})();
