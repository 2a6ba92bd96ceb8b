/* <time class="js-ago"> reads "3 hours ago"; the exact time stays as its title. Naive times are taken as the page gives them. */
(() => {
  const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  const steps = [['year', 31536000], ['month', 2592000], ['week', 604800], ['day', 86400], ['hour', 3600], ['minute', 60]];
  const paint = (el) => {
    const at = Date.parse(el.dateTime);
    if (Number.isNaN(at)) return;
    if (!el.title) el.title = el.textContent;
    const s = (at - Date.now()) / 1000;
    const [unit, size] = steps.find(([, n]) => Math.abs(s) >= n) || ['second', 1];
    el.textContent = unit === 'second' ? 'just now' : words.format(Math.round(s / size), unit);
  };
  const all = (root = document) => root.querySelectorAll('time.js-ago').forEach(paint);
  (window.portal = window.portal || {}).ago = all;
  all();
  setInterval(all, 60000);
})();
