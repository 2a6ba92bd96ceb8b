/* The inbox without reloads. Everything here is also a link or a form: a click on a row fetches "?part=task", a step is posted with
   "X-Part: task", and the answer brings the task, its row and the counts. j/k or arrows move, Enter opens, Esc goes back to the list. */
(() => {
  const root = document.querySelector('[data-inbox]');
  if (!root) return;
  const panes = root.querySelector('[data-panes]'), detail = root.querySelector('[data-detail]'), list = root.querySelector('[data-rows]');
  const { portal } = window, wide = matchMedia('(min-width: 60.01rem)'), calm = matchMedia('(prefers-reduced-motion: reduce)');
  const drafts = new Map();
  const rows = () => [...(list?.querySelectorAll(':scope > li:not(.is-leaving) > a') || [])];
  const part = () => detail.querySelector('[data-part]');
  const openId = () => part()?.dataset.task;
  const rowOf = (id) => id && list?.querySelector(`:scope > li[data-row="${CSS.escape(id)}"]`);
  const box = () => detail.querySelector('[data-work] textarea');
  const siteTitle = document.title.split(' · ').pop();

  const mark = () => {
    rows().forEach((a) => { if (a.parentElement.dataset.row === openId()) a.setAttribute('aria-current', 'true'); else a.removeAttribute('aria-current'); });
    panes.classList.toggle('is-open', Boolean(openId()));
    document.title = [part()?.dataset.title, 'Inbox', siteTitle].filter(Boolean).join(' · ');
  };

  const count = (counts) => {
    root.querySelectorAll('[data-count-of]').forEach((el) => { el.textContent = counts[el.dataset.countOf]; });
    const link = document.querySelector(`.nav a[href="${CSS.escape(root.dataset.home)}"]`);
    if (!link) return;
    let badge = link.querySelector('.count');
    if (!badge && counts.mine) { badge = document.createElement('span'); badge.className = 'count'; link.append(badge); }
    if (badge) { badge.hidden = !counts.mine; badge.textContent = counts.mine < 1000 ? counts.mine : '999+'; }
  };

  const total = (by) => {
    const el = root.querySelector('[data-total]');
    if (!el) return;
    const n = Math.max(0, Number(el.textContent) + by);
    el.textContent = n;
    root.querySelector('[data-total-word]').textContent = n === 1 ? 'task' : 'tasks';
    if (!n || !rows().length) {
      list.remove();
      if (n) location.assign(root.dataset.list);
      else { root.querySelector('[data-foot]').hidden = true; root.querySelector('[data-empty]').hidden = false; }
    }
  };

  const leave = (li) => {
    li.style.setProperty('--h', `${li.offsetHeight}px`);
    li.classList.add('is-leaving');
    const gone = () => { if (li.isConnected) { li.remove(); total(-1); } };
    if (calm.matches) gone(); else { li.addEventListener('animationend', gone, { once: true }); setTimeout(gone, 600); }
  };

  const show = (fresh, { focus } = {}) => {
    detail.replaceChildren(fresh);
    detail.removeAttribute('aria-busy');
    portal.ago?.(detail);
    portal.enhance?.(detail);
    count(JSON.parse(fresh.dataset.counts));
    const li = rowOf(fresh.dataset.task), row = fresh.querySelector('template[data-new-row]')?.content.querySelector('li');
    if (li && row && 'gone' in fresh.dataset && !li.classList.contains('is-leaving')) leave(li);
    else if (li && row) li.querySelector('a').replaceChildren(...row.querySelector('a').childNodes);
    if (box() && drafts.has(openId()) && !box().value) box().value = drafts.get(openId());
    mark();
    if (focus) (detail.querySelector('[aria-invalid=true]') || detail.querySelector('#task-title') || detail.querySelector('h2'))?.focus({ preventScroll: wide.matches });
    detail.scrollTop = 0;
    if (focus && !wide.matches) scrollTo(0, 0);
  };

  // The part in an answer, or null after telling why there is none.
  const read = async (answer) => {
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const fresh = page.querySelector('[data-part]');
    if (fresh && (answer.ok || answer.status === 422)) return document.importNode(fresh, true);
    const why = answer.redirected || answer.status === 401 || answer.status === 400 ? 'Your sign-in has ended. Sign in again in another tab and repeat this: nothing you typed is lost.'
      : answer.status === 404 || answer.status === 403 ? 'You can no longer open this task: it is somebody else’s now, or gone.'
        : answer.status === 429 ? 'Too many requests. Wait a moment and try again.'
          : answer.status === 413 ? 'That is too large to be stored.' : 'The portal could not do this. Nothing was changed, and what you typed is still here.';
    portal.toast(why, 'bad');
    return null;
  };
  const headers = { 'X-Part': 'task', Accept: 'text/html' };
  const offline = () => portal.toast('The portal does not answer. What you typed is still here: try again in a moment.', 'bad');

  let current;
  const load = async (url, { push = false, focus = false } = {}) => {
    current?.abort();
    const mine = (current = new AbortController());
    const slow = setTimeout(() => detail.setAttribute('aria-busy', 'true'), 150);
    try {
      const fetched = new URL(url, location.href);
      fetched.searchParams.set('part', 'task');
      const fresh = await read(await fetch(fetched, { headers, signal: mine.signal }));
      if (mine.signal.aborted) return;
      if (!fresh) { if (rowOf(openId())) mark(); return; }
      if (push) history.pushState({ inbox: true }, '', url);
      show(fresh, { focus });
    } catch (error) {
      if (error.name !== 'AbortError') offline();
    } finally {
      clearTimeout(slow);
      if (current === mine) detail.removeAttribute('aria-busy');
    }
  };

  const plain = (e) => !e.defaultPrevented && e.button === 0 && !e.metaKey && !e.ctrlKey && !e.shiftKey && !e.altKey;
  root.addEventListener('click', (e) => {
    const row = e.target.closest('[data-rows] a'), back = e.target.closest('[data-back]');
    if (!plain(e) || !(row || back)) return;
    e.preventDefault();
    if (row) load(row.href, { push: row.href !== location.href, focus: true });
    else close();
  });
  const close = () => {
    const from = openId();
    load(root.dataset.list, { push: location.pathname !== root.dataset.home }).then(() => (rowOf(from)?.querySelector('a') || rows()[0])?.focus());
  };
  addEventListener('popstate', () => load(location.href));

  root.addEventListener('input', (e) => {
    if (e.target === box()) { if (e.target.value.trim()) drafts.set(openId(), e.target.value); else drafts.delete(openId()); }
  });
  addEventListener('beforeunload', (e) => { if (drafts.size) e.preventDefault(); });

  root.addEventListener('submit', async (e) => {
    const form = e.target.closest('form[data-step]');
    if (!form) return;
    e.preventDefault();
    if (form.dataset.sent) return;
    const button = e.submitter || form.querySelector('[data-comment], [type=submit]');
    if ('comment' in button.dataset && !box().value.trim()) { portal.toast('Write something first'); box().focus(); return; }
    if (button.getAttribute('aria-pressed') === 'true' && !box().value.trim()) return;
    const sent = openId(), data = new FormData(form);
    if (button.name) data.append(button.name, button.value);
    form.dataset.sent = '1';
    button.setAttribute('aria-busy', 'true');
    current?.abort();
    try {
      const answer = await fetch(form.action, { method: 'POST', body: data, headers });
      const fresh = await read(answer);
      if (!fresh) return;
      if (answer.ok) {
        drafts.delete(sent);
        portal.toast(button.dataset.done || form.dataset.done);
        if (!fresh.dataset.task) { const li = rowOf(sent); if (li) leave(li); }
      }
      if (openId() === sent) show(fresh, { focus: true });
      else count(JSON.parse(fresh.dataset.counts));
    } catch {
      offline();
    } finally {
      delete form.dataset.sent;
      button.removeAttribute('aria-busy');
    }
  });

  const typing = (el) => el.closest('input, textarea, select, [contenteditable], .select2-container, dialog');
  document.addEventListener('keydown', (e) => {
    if (e.target === box() && e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); box().form.requestSubmit(box().form.querySelector('[data-comment]')); return; }
    if (e.key === 'Escape' && detail.contains(e.target) && openId() && !document.querySelector('dialog[open], .select2-container--open')) {
      if (wide.matches) (rowOf(openId())?.querySelector('a') || rows()[0])?.focus(); else close();
      return;
    }
    if (typing(e.target) || e.ctrlKey || e.metaKey || e.altKey) return;
    const inList = list?.contains(e.target);
    const step = e.key === 'j' || (inList && e.key === 'ArrowDown') ? 1 : e.key === 'k' || (inList && e.key === 'ArrowUp') ? -1 : 0;
    if (!step) return;
    const all = rows(), here = all.indexOf(document.activeElement) >= 0 ? all.indexOf(document.activeElement) : all.findIndex((a) => a.hasAttribute('aria-current'));
    const next = all[Math.min(Math.max(here + step, 0), all.length - 1)];
    if (next) { e.preventDefault(); next.focus(); next.scrollIntoView({ block: 'nearest' }); }
  });

  root.querySelectorAll('form[data-auto-submit]').forEach((form) => {
    form.addEventListener('change', (e) => { if (e.target.tagName === 'SELECT') form.requestSubmit(); });
    // A GET form sends empty fields too; leave them out of the address, except the status, whose empty value means "any".
    form.addEventListener('submit', () => form.querySelectorAll('[name=type], [name=person]').forEach((el) => { if (!el.value) el.disabled = true; }));
    addEventListener('pageshow', () => form.querySelectorAll('[disabled]').forEach((el) => { el.disabled = false; }));
  });
  rowOf(openId())?.scrollIntoView({ block: 'nearest' });
})();
