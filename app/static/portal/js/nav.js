/* The drawer at narrow widths, drop-down menus, alerts that can be put away, and "/" to search. Without it, links and <details> still work. */
(() => {
  const root = document.documentElement, side = document.getElementById('sidebar'), toggle = document.querySelector('[data-nav-toggle]');
  if (side && toggle) {
    const narrow = matchMedia('(max-width: 60rem)');
    const rest = () => document.querySelectorAll('.main');
    const set = (open) => {
      root.classList.toggle('nav-open', open);
      toggle.setAttribute('aria-expanded', String(open));
      rest().forEach((el) => { el.inert = open; });
      if (open) requestAnimationFrame(() => { if (root.classList.contains('nav-open')) (side.querySelector('[aria-current]') || side.querySelector('a')).focus(); }); else if (narrow.matches) toggle.focus();
    };
    toggle.setAttribute('role', 'button');
    toggle.setAttribute('aria-expanded', 'false');
    toggle.addEventListener('click', (e) => { e.preventDefault(); set(true); });
    toggle.addEventListener('keydown', (e) => { if (e.key === ' ') { e.preventDefault(); set(true); } });
    document.querySelector('[data-nav-close]').addEventListener('click', () => set(false));
    document.addEventListener('keydown', (e) => { if (e.key === 'Escape' && root.classList.contains('nav-open')) set(false); });
    narrow.addEventListener('change', () => { if (!narrow.matches && root.classList.contains('nav-open')) set(false); });
    side.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
  }
  // A row of choices that is wider than the window begins at the chosen one.
  document.querySelectorAll('.segmented > [aria-current]').forEach((el) => { el.parentElement.scrollLeft = el.offsetLeft - el.parentElement.offsetLeft - 24; });
  // Font Awesome comes only where somebody else's markup asks for it; our own icons are icons.svg.
  if (document.querySelector('main i.fa, main i.fas, main span.fa')) ['fontawesome', 'solid', 'v4-shims'].forEach((f) => document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: `${document.body.dataset.fa}${f}.min.css` })));
  const menus = () => document.querySelectorAll('details[data-menu][open]');
  // Where a click begins: when it ends, what was clicked may be gone, as an option of a searching select is.
  document.addEventListener('pointerdown', (e) => menus().forEach((m) => { if (!m.contains(e.target)) m.open = false; }));
  document.addEventListener('keydown', (e) => {
    if (e.key === 'Escape') menus().forEach((m) => { m.open = false; m.querySelector('summary').focus(); });
    if (e.key === '/' && !e.ctrlKey && !e.metaKey && !/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) && !e.target.isContentEditable) {
      const search = document.querySelector('[data-search-key]');
      if (search) { e.preventDefault(); search.focus(); search.select(); }
    }
  });
  // When what has the focus goes away, the focus falls to what is around the menu: nobody left it then.
  document.addEventListener('focusin', (e) => menus().forEach((m) => { if (!m.contains(e.target) && !e.target.contains(m)) m.open = false; }));
  document.addEventListener('click', (e) => e.target.closest?.('[data-dismiss-alert]')?.closest('.alert').remove());
})();
