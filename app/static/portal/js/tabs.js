/* [data-tabs] > section[id][data-tab]: sections become tabs (arrow keys, #hash). Without it they simply follow each other. */
(() => {
  document.querySelectorAll('[data-tabs]').forEach((box) => {
    const panels = [...box.querySelectorAll(':scope > section[data-tab]')];
    if (panels.length < 2) return;
    const list = document.createElement('div');
    list.className = 'tabs';
    list.setAttribute('role', 'tablist');
    const tabs = panels.map((panel) => {
      const tab = document.createElement('button');
      tab.type = 'button';
      tab.id = `tab-${panel.id}`;
      tab.setAttribute('role', 'tab');
      tab.setAttribute('aria-controls', panel.id);
      tab.textContent = panel.dataset.tab;
      if (panel.dataset.count) { const n = document.createElement('span'); n.className = 'count'; n.textContent = panel.dataset.count; tab.append(n); }
      panel.setAttribute('role', 'tabpanel');
      panel.setAttribute('aria-labelledby', tab.id);
      list.append(tab);
      return tab;
    });
    const choose = (i, focus) => {
      tabs.forEach((t, k) => { t.setAttribute('aria-selected', String(k === i)); t.tabIndex = k === i ? 0 : -1; panels[k].hidden = k !== i; });
      if (focus) { tabs[i].focus(); history.replaceState(history.state, '', `#${panels[i].id}`); }
    };
    list.addEventListener('click', (e) => { const i = tabs.indexOf(e.target.closest('[role=tab]')); if (i >= 0) choose(i, true); });
    list.addEventListener('keydown', (e) => {
      const i = tabs.indexOf(document.activeElement), n = tabs.length;
      const to = { ArrowRight: (i + 1) % n, ArrowLeft: (i - 1 + n) % n, Home: 0, End: n - 1 }[e.key];
      if (to !== undefined) { e.preventDefault(); choose(to, true); }
    });
    box.classList.add('is-tabbed');
    box.prepend(list);
    const from = () => Math.max(0, panels.findIndex((p) => `#${p.id}` === location.hash));
    choose(from());
    // The browser goes to the panel that the address names; its page should still start at the top.
    if (panels.some((p) => `#${p.id}` === location.hash)) addEventListener('load', () => setTimeout(() => scrollTo(0, 0)));
    addEventListener('hashchange', () => choose(from()));
  });
})();
