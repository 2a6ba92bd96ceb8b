/* The register edited in place. A cell is typed over and saved by Tab or Enter; Escape takes it back. What the server refuses stays in
   the cell with the reason; if somebody else changed the row meanwhile, both values are shown below it. Without this script each row has
   its form. The table is a grid: one tab stop, arrows move, Tab goes on cell by cell and leaves behind the last, Escape leaves at once. */
(() => {
  const root = document.querySelector('[data-register]');
  if (!root) return;
  const { portal } = window;
  const table = root.querySelector('[data-editable]');
  if (!table) return;
  const token = root.querySelector('[name=csrf_token]').value, coarse = matchMedia('(pointer: coarse)');
  const said = root.querySelector('[data-said]'), say = (text) => { said.textContent = text; };
  const DATES = new Set(['expiry_date', 'next_renewal_date']), LISTS = new Set(['payment_method', 'currency', 'renewal_frequency']);
  const cells = () => [...table.querySelectorAll('td[data-f]')];
  // What the server last said stands in a cell, whatever is being typed over it.
  const known = new WeakMap(), learn = (td, from = td) => known.set(td, { shown: from.textContent, typed: from.dataset.v ?? from.textContent });
  const typedOf = (td) => known.get(td).typed;
  const nameOf = (td) => `${td.dataset.label}, ${td.parentElement.querySelector('.row-link').textContent}`;
  const inputOf = (td) => td.querySelector('input');
  const isToggle = (td) => td.dataset.f === 'auto_renew';
  const el = (tag, props = {}, ...kids) => { const made = Object.assign(document.createElement(tag), props); made.append(...kids); return made; };

  table.setAttribute('role', 'grid');
  const furnish = (td) => { td.setAttribute('role', 'gridcell'); td.tabIndex = -1; learn(td); };
  cells().forEach(furnish);
  if (cells().length) cells()[0].tabIndex = 0;

  const focus = (td) => {
    table.querySelectorAll('td[data-f][tabindex="0"]').forEach((one) => { one.tabIndex = -1; });
    td.tabIndex = 0;
    (inputOf(td) || td).focus();
  };
  const beside = (td, step) => { const all = cells(); return all[all.indexOf(td) + step]; };
  const below = (td, step) => {
    const rows = [...table.querySelectorAll('tr[data-row]')];
    return rows[rows.indexOf(td.parentElement) + step]?.querySelector(`td[data-f="${td.dataset.f}"]`);
  };

  // A cell shows its value, an input, or an input with what is wrong with it.
  const rest = (td, text = known.get(td).shown) => {
    td.classList.remove('is-editing', 'is-bad', 'is-saving');
    td.replaceChildren(text);
  };
  const type = (td, value) => {
    const name = td.dataset.f, input = el('input', { className: 'reg-input', value, autocomplete: 'off', spellcheck: false });
    input.setAttribute('aria-label', nameOf(td));
    if (LISTS.has(name)) input.setAttribute('list', `list-${name}`);
    if (DATES.has(name)) input.placeholder = 'YYYY-MM-DD';
    if (DATES.has(name) && coarse.matches && (!value || !Number.isNaN(Date.parse(value)))) { input.type = 'date'; input.value = value; }
    if (['amount', 'card_last4', 'notice_days'].includes(name)) input.inputMode = name === 'amount' ? 'decimal' : 'numeric';
    // The column keeps its width while the input lies over the cell.
    if (!td.matches('.is-editing')) td.style.setProperty('--was', `${td.offsetWidth}px`);
    td.classList.remove('is-saving');
    td.classList.add('is-editing');
    td.replaceChildren(input);
    return input;
  };
  const edit = (td, value = typedOf(td), select = false) => {
    if (td.classList.contains('is-saving')) return;
    if (isToggle(td)) { save(td, typedOf(td) === 'yes' ? 'no' : 'yes'); return; }
    if (!inputOf(td)) type(td, value);
    focus(td);
    if (select) inputOf(td).select();
  };
  const cancel = (td) => { rest(td); say('Taken back'); };
  const commit = (td) => {
    const input = inputOf(td), value = input?.value.trim();
    if (!input || value === input.dataset.refused) return;
    if (value === typedOf(td)) rest(td);
    else { rest(td, value); save(td, value); }
  };
  const refuse = (td, value, message) => {
    const here = [document.body, td].includes(document.activeElement);
    if (isToggle(td)) { rest(td); portal.toast(message, 'bad'); return; }
    const input = type(td, value), id = `wrong-${td.parentElement.dataset.row}-${td.dataset.f}`, words = el('p', { className: 'reg-wrong', id }, message);
    td.classList.add('is-bad');
    input.dataset.refused = value;
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', id);
    words.setAttribute('role', 'alert');
    td.append(words);
    if (here) focus(td);
  };

  // The server's row, cell by cell: what is being typed or stands refused stays, and the focus with it.
  const apply = (tr, fresh) => {
    tr.dataset.seen = fresh.dataset.seen;
    tr.querySelector('[data-state]').replaceWith(fresh.querySelector('[data-state]').cloneNode(true));
    fresh.querySelectorAll('td[data-f]').forEach((now) => {
      const td = tr.querySelector(`td[data-f="${now.dataset.f}"]`);
      learn(td, now);
      if (!td.matches('.is-saving, .is-editing')) rest(td);
    });
  };
  const figures = ({ counts, incomplete, totals }) => {
    root.querySelectorAll('[data-count-of]').forEach((one) => { one.textContent = counts[one.dataset.countOf]; });
    root.querySelector('[data-totals]').replaceWith(document.importNode(parse(totals).querySelector('[data-totals]'), true));
    const link = document.querySelector(`.nav a[href="${CSS.escape(root.dataset.home)}"]`);
    let badge = link?.querySelector('.count');
    if (link && !badge && incomplete) { badge = el('span', { className: 'count' }); link.append(badge); }
    if (badge) { badge.hidden = !incomplete; badge.replaceChildren(incomplete < 1000 ? String(incomplete) : '999+', el('span', { className: 'sr-only' }, ' incomplete')); }
  };
  const parse = (html) => new DOMParser().parseFromString(html, 'text/html');
  const rowIn = (html) => document.importNode(parse(`<table>${html}</table>`).querySelector('tr'), true);

  // One change of a row at a time: each says which version of the row it is of.
  const queues = new Map();
  const save = (td, value) => {
    const tr = td.parentElement;
    clear(tr);
    td.classList.add('is-saving');
    const turn = (queues.get(tr) || Promise.resolve()).then(() => send(tr, td, value));
    queues.set(tr, turn);
    turn.finally(() => { if (queues.get(tr) === turn) queues.delete(tr); });
  };
  const send = async (tr, td, value) => {
    const url = `${root.dataset.save.replace(/0$/, tr.dataset.row)}?${root.dataset.query}`;
    const body = new URLSearchParams({ csrf_token: token, field: td.dataset.f, value, seen: tr.dataset.seen });
    let answer, told;
    try {
      answer = await fetch(url, { method: 'POST', body, headers: { Accept: 'application/json' }, redirect: 'error' });
      told = await answer.json();
    } catch {
      refuse(td, value, answer ? 'The portal could not save this.' : 'Not saved: the portal does not answer, or your sign-in has ended.');
      return;
    }
    if (answer.status === 409 && told.row) { clash(tr, td, value, told); return; }
    if ([400, 401].includes(answer.status)) { refuse(td, value, 'Not saved: your sign-in has ended. Sign in again in another tab, then load this page anew.'); return; }
    if (!answer.ok) { refuse(td, value, (told.detail || []).map((one) => one.message).join(' ') || told.message); return; }
    td.classList.remove('is-saving');
    apply(tr, rowIn(told.row));
    figures(told);
    td.classList.add('is-saved');
    td.addEventListener('animationend', () => td.classList.remove('is-saved'), { once: true });
    say(`${td.dataset.label} saved`);
  };

  // Somebody else was faster: their values are in the row, and a line below it asks which one holds.
  const clear = (tr) => { if (tr.nextElementSibling?.matches('[data-clash]')) tr.nextElementSibling.remove(); };
  const clash = (tr, td, value, told) => {
    const fresh = rowIn(told.row), valueIn = (row, name) => row.querySelector(`td[data-f="${name}"]`);
    const others = [...fresh.querySelectorAll('td[data-f]')]
      .filter((now) => now.dataset.f !== td.dataset.f && now.textContent !== known.get(valueIn(tr, now.dataset.f)).shown)
      .map((now) => `${now.dataset.label} is now ${now.textContent || 'empty'}`);
    td.classList.remove('is-saving');
    apply(tr, fresh);
    td.classList.add('is-clashing');
    clear(tr);
    const theirs = valueIn(fresh, td.dataset.f).textContent || 'empty';
    const keep = el('button', { type: 'button', className: 'btn btn-sm btn-primary' }, `Keep mine: ${value || 'empty'}`);
    const take = el('button', { type: 'button', className: 'btn btn-sm' }, `Take theirs: ${theirs}`);
    const text = el('p', {}, el('strong', {}, `${told.by} has changed this row since you loaded it. `), `${td.dataset.label} is now ${theirs}, you wrote ${value || 'nothing'}.${others.length ? ` Also: ${others.join('; ')}.` : ''}`);
    text.setAttribute('role', 'alert');
    const cell = el('td', { colSpan: tr.children.length }, el('div', { className: 'reg-clash' }, text, el('span', { className: 'reg-clash-do' }, keep, take)));
    const line = el('tr', {}, cell);
    line.dataset.clash = '';
    tr.after(line);
    const done = () => { clear(tr); td.classList.remove('is-clashing'); focus(td); };
    take.addEventListener('click', done);
    keep.addEventListener('click', () => { done(); rest(td, value); save(td, value); });
    line.addEventListener('keydown', (e) => { if (e.key === 'Escape') { e.preventDefault(); done(); } });
    if (!document.activeElement?.matches('.reg-input')) keep.focus();
  };

  const go = (td, e) => { if (td) { e.preventDefault(); focus(td); } };
  const whileTyping = (td, e) => {
    if (e.key === 'Escape') { e.preventDefault(); cancel(td); focus(td); return; }
    const next = e.key === 'Tab' ? beside(td, e.shiftKey ? -1 : 1) : e.key === 'Enter' ? below(td, e.shiftKey ? -1 : 1) || td : null;
    if (e.key !== 'Tab' && e.key !== 'Enter') return;
    if (e.key === 'Enter') e.preventDefault();
    commit(td);
    go(next, e);
  };
  const STEPS = { ArrowRight: [beside, 1], ArrowLeft: [beside, -1], ArrowDown: [below, 1], ArrowUp: [below, -1] };
  const onCell = (td, e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (STEPS[e.key]) { const [way, by] = STEPS[e.key]; go(way(td, by), e); return; }
    if (e.key === 'Home' || e.key === 'End') { const all = td.parentElement.querySelectorAll('td[data-f]'); go(all[e.key === 'Home' ? 0 : all.length - 1], e); return; }
    if (e.key === 'Tab') { go(beside(td, e.shiftKey ? -1 : 1), e); return; }
    if (e.key === 'Escape') { e.preventDefault(); root.querySelector('[data-after]').focus(); return; }
    if (e.key === 'Enter' || e.key === 'F2') { e.preventDefault(); edit(td); return; }
    if (e.key === 'Delete' || e.key === 'Backspace') { e.preventDefault(); if (!isToggle(td)) edit(td, ''); return; }
    if (e.key === ' ' && isToggle(td)) { e.preventDefault(); edit(td); return; }
    if (e.key.length === 1 && e.key !== ' ' && !isToggle(td)) { e.preventDefault(); edit(td, coarse.matches && DATES.has(td.dataset.f) ? typedOf(td) : e.key); }
  };
  table.addEventListener('keydown', (e) => {
    const td = e.target.closest('td[data-f]');
    if (!td) return;
    if (e.target.matches('.reg-input')) whileTyping(td, e); else if (e.target === td) onCell(td, e);
  });
  table.addEventListener('click', (e) => {
    const td = e.target.closest('td[data-f]');
    if (td && !e.target.closest('input, button, a') && !String(getSelection())) { e.preventDefault(); edit(td, undefined, true); }
  });
  table.addEventListener('focusout', (e) => {
    const td = e.target.matches('.reg-input') && e.target.closest('td[data-f]');
    if (td && td.classList.contains('is-editing')) commit(td);
  });
  addEventListener('beforeunload', (e) => { if (table.querySelector('.is-editing, .is-saving, [data-clash]')) e.preventDefault(); });
})();
