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

  const big = [...document.querySelectorAll('select.my_select2, select.js-select')].filter((s) => s.multiple || s.options.length > 10);
  const ajax = [...document.querySelectorAll('select.js-select-ajax')];
  if (!big.length && !ajax.length) return;
  const { jquery, select2Js, select2Css } = document.body.dataset;
  const load = (src) => new Promise((done, failed) => { document.head.append(Object.assign(document.createElement('script'), { src, onload: done, onerror: failed })); });
  const sheet = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: select2Css });
  document.head.prepend(sheet);
  const options = (el) => ({ width: '100%', placeholder: 'Choose…', allowClear: !el.required, minimumResultsForSearch: 8 });
  const enhance = (el) => {
    el.dataset.placeholder = 'Choose…';
    const $el = window.jQuery(el), box = $el.select2({ ...options(el), ...('remote' in el.dataset ? remote(el) : {}) }).data('select2').$container;
    const label = document.querySelector(`label[for="${CSS.escape(el.id)}"]`);
    if (label) { label.id = label.id || `${el.id}-label`; box.find('.select2-selection').attr('aria-label', label.textContent.trim()); }
    const described = el.getAttribute('aria-describedby');
    if (described) box.find('.select2-selection').attr('aria-describedby', described);
    $el.on('change', (e) => { if (!e.originalEvent) el.dispatchEvent(new Event('input', { bubbles: true })); });
  };
  // data-remote: the server searches (GET endpoint?q=term, answers [{id, text}]); else all choices are fetched once.
  const remote = (el) => ({ ajax: { url: el.dataset.endpoint, delay: 200, dataType: 'json', data: ({ term, page }) => ({ q: term || '', page: page || 1 }), processResults: (d) => ({ results: d.results || d }) } });
  const fetchInto = async (el) => {
    const master = el.dataset.master && document.getElementById(el.dataset.master);
    const chosen = el.value;
    const rows = master && !master.value ? [] : await (await fetch(el.dataset.endpoint.replace('{{ID}}', master ? master.value : ''), { headers: { Accept: 'application/json' } })).json();
    el.replaceChildren(new Option('', ''), ...rows.map((r) => new Option(r.text, r.id, false, String(r.id) === chosen)));
    window.jQuery(el).trigger('change.select2');
    if (master && !el.dataset.bound) { el.dataset.bound = '1'; window.jQuery(master).on('change', () => fetchInto(el)); }
  };
  (window.jQuery ? Promise.resolve() : load(jquery)).then(() => load(select2Js)).then(() => {
    window.jQuery(document).on('select2:open', () => document.querySelector('.select2-container--open .select2-search__field')?.focus());
    big.concat(ajax).forEach(enhance);
    ajax.filter((el) => !('remote' in el.dataset)).forEach((el) => fetchInto(el).catch(() => window.portal.toast('The choices could not be loaded', 'bad')));
  });
})();
