/* How far an import is: asked each second, and the page is loaded anew when it is done. Without this script the page refreshes itself. */
(() => {
  const card = document.querySelector('[data-import-state]');
  if (!card) return;
  const bar = card.querySelector('progress'), words = (n) => Number(n).toLocaleString('en');
  const ask = async () => {
    try {
      const answer = await fetch(card.dataset.importState, { headers: { Accept: 'application/json' } });
      if (!answer.ok) { location.reload(); return; }
      const { running, done, total } = await answer.json();
      if (!running) { location.reload(); return; }
      bar.max = Math.max(total, 1);
      bar.value = done;
      card.querySelector('[data-done]').textContent = words(done);
      card.querySelector('[data-total]').textContent = words(total);
    } catch { /* The portal may be restarting: the next question tells. */ }
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 700);
})();
