/* Confirmation before what cannot be undone, and toasts.
   A submit button with data-confirm="What will happen" (and -title, -ok, -no, -tone=danger) asks first; portal.toast(text, 'bad') tells afterwards. */
(() => {
  const portal = (window.portal = window.portal || {});
  portal.confirm = ({ title = 'Are you sure?', text = '', ok = 'Continue', no = 'Cancel', tone = '' }) => new Promise((resolve) => {
    const dialog = document.getElementById('confirm-dialog');
    if (!dialog?.showModal) { resolve(window.confirm(`${title}\n${text}`)); return; }
    dialog.querySelector('#confirm-title').textContent = title;
    dialog.querySelector('#confirm-text').textContent = text;
    const button = dialog.querySelector('[data-ok]');
    button.textContent = ok;
    dialog.querySelector('[value=cancel]').textContent = no;
    button.className = `btn ${tone === 'danger' ? 'btn-danger' : 'btn-primary'}`;
    dialog.returnValue = 'cancel';
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'ok'), { once: true });
    dialog.showModal();
  });
  portal.toast = (text, tone = '') => {
    const el = document.createElement('div');
    el.className = `toast${tone === 'bad' ? ' toast--bad' : ''}`;
    el.textContent = text;
    const all = document.getElementById('toasts');
    while (all.children.length > 1) all.firstChild.remove();
    all.append(el);
    setTimeout(() => el.remove(), 5000);
  };
  document.addEventListener('click', async (e) => {
    const button = e.target.closest?.('[data-confirm]');
    if (!button || button.dataset.confirmed) return;
    e.preventDefault();
    const d = button.dataset;
    const title = d.confirmTitle || (button.textContent.trim() ? `${button.textContent.trim()}?` : undefined);
    if (!await portal.confirm({ title, text: d.confirm, ok: d.confirmOk, no: d.confirmNo, tone: d.confirmTone })) return;
    if (button.form) button.form.requestSubmit(button); else { d.confirmed = '1'; button.click(); delete d.confirmed; }
  });
})();
