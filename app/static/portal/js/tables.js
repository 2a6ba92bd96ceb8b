/* Lists: the sticky header when a table fits, checkboxes with the bar of actions, a click on a row opens it, and the filter panel. */
(() => {
  const fit = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    const wrap = target.closest('[data-table]') || target;
    wrap.classList.remove('fits');
    wrap.classList.toggle('fits', wrap.scrollWidth <= wrap.clientWidth + 1);
  }));
  document.querySelectorAll('[data-table]').forEach((wrap) => {
    fit.observe(wrap);
    const bar = wrap.parentElement.querySelector('[data-bulk]');
    const boxes = [...wrap.querySelectorAll('[data-check]:not(:disabled)')], all = wrap.querySelector('[data-check-all]');
    const count = () => {
      const n = boxes.filter((b) => b.checked).length;
      if (all) { all.checked = n > 0 && n === boxes.length; all.indeterminate = n > 0 && n < boxes.length; }
      if (bar) { bar.classList.toggle('is-on', n > 0); bar.querySelector('[data-bulk-count]').textContent = n; }
    };
    wrap.addEventListener('change', (e) => { if (e.target === all) boxes.forEach((b) => { b.checked = all.checked; }); count(); });
    bar?.querySelector('[data-bulk-clear]').addEventListener('click', () => { boxes.forEach((b) => { b.checked = false; }); count(); });
    count();
    wrap.addEventListener('click', (e) => {
      if (e.defaultPrevented || e.target.closest('a, button, input, label, select, summary') || String(getSelection())) return;
      const link = e.target.closest('tbody tr')?.querySelector('.row-link');
      if (link) { if (e.ctrlKey || e.metaKey) open(link.href); else link.click(); }
    });
  });

  document.querySelectorAll('[data-filter-menu]').forEach((menu) => {
    const data = JSON.parse(menu.querySelector('[data-filter-data]').textContent);
    const col = menu.querySelector('[data-filter-col]'), op = menu.querySelector('[data-filter-op]'), slot = menu.querySelector('[data-filter-value]');
    const name = () => { const el = slot.querySelector('[data-value]'); if (el) el.name = `_flt_${op.value}_${col.value}`; };
    const control = (html) => {
      const parsed = new DOMParser().parseFromString(html, 'text/html').body;
      const el = parsed.querySelector('select, textarea, input');
      if (el.tagName === 'SELECT') { el.multiple = false; el.removeAttribute('multiple'); [...el.options].filter((o) => o.value === '__None').forEach((o) => o.remove()); return el; }
      if (el.type === 'checkbox') return Object.assign(document.createElement('input'), { type: 'hidden', value: 'y' });
      const input = document.createElement('input');
      input.type = parsed.querySelector('.appbuilder_date') ? 'date' : el.type === 'number' ? 'number' : 'text';
      if (parsed.querySelector('.appbuilder_datetime')) input.placeholder = 'YYYY-MM-DD HH:MM:SS';
      return input;
    };
    const fill = () => {
      const el = document.importNode(control(data.fields[col.value]), true);
      // FAB knows a boolean filter by "y" only: "no" is "not equal to y".
      const words = el.type === 'hidden' ? { 'Equal to': 'is yes', 'Not Equal to': 'is no' } : { 'Equal to': 'is', 'Not Equal to': 'is not', Relation: 'is', 'No Relation': 'is not' };
      op.replaceChildren(...data.filters[col.value].map((text, i) => new Option(words[text] || text.toLowerCase(), i)));
      const first = [...op.options].find((o) => o.text === 'contains');
      if (first) first.selected = true;
      el.className = 'form-control'; el.id = 'filter-value'; el.dataset.value = ''; el.required = true; el.removeAttribute('style');
      el.setAttribute('aria-label', data.labels[col.value]);
      slot.hidden = el.type === 'hidden';
      slot.replaceChildren(el);
      // forms.js comes after this file and looks at the whole page once by itself.
      if (el.dataset.lookup) window.portal?.enhance?.(slot);
      name();
    };
    col.addEventListener('change', fill);
    op.addEventListener('change', name);
    fill();
  });
})();
