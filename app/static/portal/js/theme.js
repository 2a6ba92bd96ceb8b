/* Light, dark or as the system. The choice is kept in localStorage and set before paint by the inline script in base.html. */
(() => {
  const root = document.documentElement, key = 'portal-theme';
  const read = () => { try { return localStorage.getItem(key) || 'system'; } catch { return 'system'; } };
  const buttons = document.querySelectorAll('[data-theme-set]');
  const show = () => buttons.forEach((b) => b.setAttribute('aria-pressed', String(b.dataset.themeSet === read())));
  const apply = () => { const t = read(); if (t === 'system') delete root.dataset.theme; else root.dataset.theme = t; show(); };
  buttons.forEach((b) => b.addEventListener('click', () => { try { localStorage.setItem(key, b.dataset.themeSet); } catch { root.dataset.theme = b.dataset.themeSet; } apply(); }));
  addEventListener('storage', (e) => e.key === key && apply());
  show();
})();
