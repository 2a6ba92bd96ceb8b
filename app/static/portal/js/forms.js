/* Forms: focus goes to the error summary, a second submit is held back, leaving with unsaved changes asks, and selects with many
   or several choices become Select2 (from the FAB package; loaded only when a page has one). */
(() => {
  document.querySelector('[data-autofocus]')?.focus();
  document.querySelectorAll('form[data-form]').forEach((form) => {
    let dirty = false;
    form.addEventListener('input', () => { dirty = true; });
    form.addEventListener('change', () => { dirty = true; });
    form.addEventListener('submit', (e) => {
      if (form.dataset.sent) { e.preventDefault(); return; }
      form.dataset.sent = '1';
      dirty = false;
      (e.submitter || form.querySelector('[type=submit]'))?.setAttribute('aria-busy', 'true');
    });
    addEventListener('pageshow', () => { delete form.dataset.sent; form.querySelectorAll('[aria-busy]').forEach((b) => b.removeAttribute('aria-busy')); });
    if (form.method === 'post' && !form.closest('.outside')) addEventListener('beforeunload', (e) => { if (dirty) e.preventDefault(); });
  });

  // A filter goes on at each choice. A GET form sends empty fields too: they are left out of the address. Select2 tells of its changes
  // through jQuery, which `enhance` passes on as input.
  document.querySelectorAll('form[data-filter]').forEach((form) => {
    const changed = (e) => { if (e.target.tagName === 'SELECT') form.requestSubmit(); };
    form.addEventListener('change', changed);
    form.addEventListener('input', (e) => { if (e.target.matches('[data-lookup]')) changed(e); });
    form.addEventListener('submit', () => form.querySelectorAll('[name]').forEach((el) => { if (!el.value) el.disabled = true; }));
    addEventListener('pageshow', () => form.querySelectorAll('[disabled]').forEach((el) => { el.disabled = false; }));
  });

  document.addEventListener('click', async (e) => {
    const button = e.target.closest?.('[data-copy]');
    if (!button) return;
    const from = button.parentElement.querySelector('[data-copy-from]');
    from.select();
    try { await navigator.clipboard.writeText(from.value); } catch { document.execCommand('copy'); }
    window.portal.toast('Copied');
  });

  const { jquery, select2Js, select2Css } = document.body.dataset;
  const load = (src) => new Promise((done, failed) => { document.head.append(Object.assign(document.createElement('script'), { src, onload: done, onerror: failed })); });
  const json = { headers: { Accept: 'application/json' } };
  const search = (url) => ({ ajax: { url, delay: 200, dataType: 'json', headers: json.headers, data: ({ term, page }) => ({ q: term || '', page: page || 1 }), processResults: (d) => ({ results: d.results || d, pagination: d.pagination }) } });
  // data-lookup and data-remote: the server searches (GET ?q=term&page=1, answers {results: [{id, text}], pagination: {more}} or [{id, text}]).
  const searchOf = (el) => el.dataset.lookup || ('remote' in el.dataset && el.dataset.endpoint);
  const enhance = (el) => {
    el.dataset.placeholder ||= 'Choose…';
    const url = searchOf(el);
    const panel = el.closest('.menu-panel');
    const options = { ...(panel && { dropdownParent: window.jQuery(panel) }), width: '100%', placeholder: el.dataset.placeholder, allowClear: !el.required && !el.multiple, minimumResultsForSearch: url ? 0 : 8, ...(url ? search(url) : {}) };
    if (url && !el.multiple && !el.value) el.querySelector('option[value=""]')?.replaceChildren();
    const $el = window.jQuery(el), box = $el.select2(options).data('select2').$container;
    const label = document.querySelector(`label[for="${CSS.escape(el.id)}"]`);
    if (label) { label.id = label.id || `${el.id}-label`; box.find('.select2-selection, .select2-search__field').attr('aria-label', label.textContent.replace('*', '').trim()); label.addEventListener('click', () => $el.select2('focus')); }
    box.find('.select2-search__field').attr('aria-label', label?.textContent.replace('*', '').trim() || 'Search');
    const described = el.getAttribute('aria-describedby');
    if (described) box.find('.select2-selection').attr('aria-describedby', described);
    $el.on('change', (e) => { if (!e.originalEvent) el.dispatchEvent(new Event('input', { bubbles: true })); });
  };
  // Without data-remote, FAB's own searching selects fetch all their choices once.
  const fetchInto = async (el) => {
    const master = el.dataset.master && document.getElementById(el.dataset.master);
    const chosen = el.value;
    const rows = master && !master.value ? [] : await (await fetch(el.dataset.endpoint.replace('{{ID}}', master ? master.value : ''), json)).json();
    el.replaceChildren(new Option('', ''), ...rows.map((r) => new Option(r.text, r.id, false, String(r.id) === chosen)));
    window.jQuery(el).trigger('change.select2');
    if (master && !el.dataset.bound) { el.dataset.bound = '1'; window.jQuery(master).on('change', () => fetchInto(el)); }
  };
  let ready;
  const select2 = () => (ready ||= (async () => {
    document.head.prepend(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: select2Css }));
    if (!window.jQuery) await load(jquery);
    await load(select2Js);
    window.jQuery(document).on('select2:open', () => {
      const field = document.querySelector('.select2-container--open .select2-search__field');
      if (field && !field.getAttribute('aria-label')) field.setAttribute('aria-label', 'Search');
      field?.focus();
    });
  })());
  (window.portal = window.portal || {}).enhance = async (root = document) => {
    const all = [...root.querySelectorAll('select.my_select2, select.js-select, select.js-select-ajax, select[data-lookup]')]
      .filter((el) => !el.closest('[hidden]') && !el.classList.contains('select2-hidden-accessible'))
      .filter((el) => el.dataset.lookup || el.dataset.endpoint || el.multiple || el.options.length > 10);
    if (!all.length) return;
    await select2();
    all.forEach(enhance);
    all.filter((el) => el.dataset.endpoint && !searchOf(el)).forEach((el) => fetchInto(el).catch(() => window.portal.toast('The choices could not be loaded', 'bad')));
  };
  window.portal.enhance();
})();
